"""Column names: which field a column is, and which columns are left behind.

Invariant: a column is kept only if its whole name is a known synonym (capitals, spaces,
punctuation and diacritics aside); everything else is dropped before a row is looked at.
Columns about identity numbers, money, health and notes are dropped whatever the synonyms say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pwa.homes.files.cells import clean, has_personnummer, simplify

REQUIRED = ("tenancy_ref", "object_ref", "street", "move_in")

# As `simplify` leaves them. Names seen in exports of Xpand, Vitec and their like.
_SYNONYMS = {
    "tenancy_ref": "kontraktsnr kontraktsnummer kontraktnr kontraktnummer kontraktsid kontraktid kontrakt"
    " avtalsnummer avtalsnr avtalnr avtalsid avtal hyreskontrakt hyreskontraktsnr hyreskontraktsnummer"
    " hyreskontraktnr hyresid hyresavtal hyresavtalsnr hyresavtalsnummer tenancyref leaseid leasenumber",
    "object_ref": "objektsnr objektnummer objektsnummer objektnr objektid objektsid objekt hyresobjekt"
    " hyresobjektsnr hyresobjektsnummer hyresobjektnr lagenhetsid lghid objectref",
    "object_type": "objekttyp objektstyp hyresobjekttyp hyresobjektstyp typavobjekt",
    "apartment_number": "lagenhetsnummer lagenhetsnr lagenhetnr lghnr lghnummer lmvnr lmvnummer lmv"
    " skatteverketsnr skatteverketsnummer skatteverketslagenhetsnummer apartmentnumber",
    "street": "adress gatuadress besoksadress gata objektadress objektsadress lagenhetsadress street address",
    "postcode": "postnr postnummer postcode zip",
    "city": "postort ort city",
    "property": "fastighet fastighetsbeteckning fastighetsnamn kv kvarter property",
    "building": "byggnad byggnadsnr byggnadsnummer hus husnr trappuppgang trapphus uppgang trappa building",
    "area": "distrikt omrade forvaltningsomrade kvartersvardsomrade bostadsomrade stadsdel area",
    "move_in": "inflyttningsdatum inflyttningsdag inflyttning inflyttdatum tilltradesdag tilltradesdatum"
    " tilltrade startdatum fromdatum datumfrom franochmed franochmeddatum avtalfrom avtalfrommed kontraktfrom"
    " avtalsstart kontraktsstart galleravfrom gallerfrom movein moveindate startdate",
    "lease_end": "utflyttning utflyttningsdatum utflyttningsdag avflyttning avflyttningsdatum slutdatum"
    " sistadebitering sistadebiteringsdatum tomdatum datumtom tillochmed tillochmeddatum avtaltom"
    " kontrakttom avtalsslut kontraktsslut leaseend enddate",
    "tenant1": "hyresgast hyresgast1 hyresgastnamn hyresgastensnamn hyresgast1namn hyresgast1benamning"
    " hyresgastbenamning namn kontraktsinnehavare kontraktsinnehavare1 kontraktsinnehavarenamn"
    " kontraktsinnehavaresnamn avtalstecknare kund kundnamn tenant tenantname name",
    "tenant2": "hyresgast2 hyresgast2namn hyresgast2benamning medsokande medhyresgast"
    " medkontraktsinnehavare medkontraktant kontraktsinnehavare2 namn2 tenant2",
    "surname1": "efternamn efternamn1 hyresgast1efternamn hyresgastefternamn surname lastname",
    "forename1": "fornamn fornamn1 hyresgast1fornamn hyresgastfornamn tilltalsnamn forename firstname",
    "surname2": "efternamn2 hyresgast2efternamn medsokandeefternamn",
    "forename2": "fornamn2 hyresgast2fornamn medsokandefornamn",
    "customer_ref": "kundnr kundnummer kundid personkod kod hyresgastkod hyresgast1kod hyresgastnr"
    " hyresgastnummer hyresgastid customerref",
    "phone": "mobil mobilnr mobilnummer mobiltelefon mobiltelefonnummer telefon telefonnr telefonnummer tel telnr"
    " tfn tfnbost tfnbostad tfnhem tfnarb tfnarbete tfnmobil tfnbostarbete telefonbost telefonbostad telefonhem"
    " telefonarb telefonarbete telefonmobil hemtelefon arbetstelefon telefon1 telefon2 mobil1 mobil2"
    " hyresgast1telefonnummer hyresgast2telefonnummer hyresgast1telefon hyresgast2telefon hyresgast1mobil"
    " hyresgast2mobil phone mobile",
    "email": "epost epostadress mejl mejladress mail mailadress email hyresgast1epost hyresgastepost",
    "language": "sprak onskatsprak tolksprak modersmal kontaktsprak language",
    "trustee": "godman forvaltare ombud godmanforvaltare godmanellerforvaltare trustee",
    "protected": "skyddad skydd skyddid lagsokt protected",
}
_FIELDS = {name: field for field, names in _SYNONYMS.items() for name in names.split()}

# More columns of these add up; of any other field the first column wins.
_MANY = frozenset({"phone", "protected"})

# A flag under an unknown spelling must not be lost: "Skyddade uppg." is a protected column too.
_PROTECTED = re.compile("skyddad|sekretess|lagsokt|kvarskriv|fingera")

# Data minimisation: dropped on sight, even if a synonym is added by mistake one day.
_NEVER = re.compile(
    r"personn(?:r|ummer)|persn|^pnr|samordningsn|organisationsn|fodelse|^fodd|inkomst|income|kredit|credit|betalningsanm"
    r"|uc$|kotid|kopoang|^ko(?:$|datum|plats)|notering|anteckning|kommentar|comment|^notes?$|anmarkning|^anm$"
    r"|^info|meddelande|fritext|bank|konto|clearing|autogiro|^obs|specialattention|hyra$|^hyra|hyresbelopp|belopp"
    r"|avgift|skuld|krav$|inkasso|storlek|yta$|kvm|^boarea|antalrum|^rum$|medborgar|nationalitet|civilstand|^kon$"
    r"|barn|hushall|forsorjning|bidrag|sjuk|halsa|diagnos|religion"
)


@dataclass(frozen=True)
class Columns:
    """Where each field stands: indexes into a row, the names to show, the names left behind."""

    by_field: dict[str, tuple[int, ...]]
    names: tuple[str, ...]
    dropped: list[str]

    def name_of(self, field: str) -> str:
        """The header of a field's first column as it stood in the file."""
        return self.names[self.by_field[field][0]]


def field_of(header: str) -> str | None:
    """The field a header names, or None when the column is to be dropped."""
    key = simplify(header)
    if _PROTECTED.search(key):
        return "protected"
    if _NEVER.search(key):
        return None
    return _FIELDS.get(key)


def count_recognised(cells: list[str]) -> int:
    """How many of a row's cells are column names we know."""
    return sum(field_of(cell) is not None for cell in cells)


def recognise(header: list[str]) -> Columns:
    """Map a header row; the first column of a field wins and the others are dropped.

    Exceptions: phones and protected flags add up, "Hyresgäst 2 benämning" (a name)
    beats "Hyresgäst 2" (a code in the same export), and a whole name beats its two halves.
    """
    claimed: dict[str, list[int]] = {}
    for index, text in enumerate(header):
        field = field_of(text)
        if field is None:
            continue
        rivals = claimed.setdefault(field, [])
        if not rivals or field in _MANY:
            rivals.append(index)
        elif _is_name(text) and not _is_name(header[rivals[0]]):
            rivals[0] = index
    for number in "12":
        if f"tenant{number}" in claimed:
            claimed.pop(f"surname{number}", None)
            claimed.pop(f"forename{number}", None)
    kept = {index for indexes in claimed.values() for index in indexes}
    names = tuple(show_name(text, index) for index, text in enumerate(header))
    dropped = [name for index, name in enumerate(names) if index not in kept]
    return Columns({field: tuple(found) for field, found in claimed.items()}, names, dropped)


def _is_name(header: str) -> bool:
    return simplify(header).endswith("benamning")


def show_name(text: str, index: int) -> str:
    """A header fit for a report: without a name, or looking like data, it is "#7"."""
    name = clean(text)
    looks_like_data = has_personnummer(name) or "@" in name or len(re.findall("[0-9]", name)) > 4
    return f"#{index + 1}" if not name or looks_like_data or len(name) > 60 else name
