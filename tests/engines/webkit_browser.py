#!/usr/bin/python3
"""A browser of a few lines for WebKitWebDriver: WebKitGTK with a profile on disk.

The stock MiniBrowser stores nothing under WebDriver, so a kill would always lose everything. Run by
the driver with the system's own Python, which has `gi`; `--profile=DIR` is the folder of the profile.
"""

import sys
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402

profile = next(one.split("=", 1)[1] for one in sys.argv if one.startswith("--profile="))
manager = WebKit2.WebsiteDataManager(
    base_data_directory=f"{profile}/data", base_cache_directory=f"{profile}/cache"
)
context = WebKit2.WebContext(website_data_manager=manager)
context.get_cookie_manager().set_persistent_storage(
    f"{profile}/cookies", WebKit2.CookiePersistentStorage.SQLITE
)
context.set_automation_allowed(True)
windows: list[Any] = []


def view_of(_session: object) -> Any:
    view = WebKit2.WebView(web_context=context, is_controlled_by_automation=True)
    window = Gtk.Window(default_width=400, default_height=800)
    window.add(view)
    window.show_all()
    windows.append(window)

    def closed(_view: object) -> None:
        window.destroy()
        windows.remove(window)
        if not windows:
            Gtk.main_quit()

    view.connect("close", closed)
    return view


def automated(_context: object, session: Any) -> None:
    about = WebKit2.ApplicationInfo()
    about.set_name("MiniBrowser")
    about.set_version(
        WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version()
    )
    session.set_application_info(about)
    session.connect("create-web-view", view_of)


context.connect("automation-started", automated)
Gtk.main()
