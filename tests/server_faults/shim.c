/* Stands between a process and its disk (LD_PRELOAD): asks a hook before each call that changes a file
 * or makes a change durable. The hook answers 0 (do it), an errno (fail with it), or -1 - k (write
 * only the first k bytes, then ask again with SHORT: the hook does not come back from that). SQLite
 * and Python reach the kernel through these functions of libc, so both are seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE, SYNC, TRUNCATE, RENAME, MKDIR, UNLINK, SHORT };

typedef int (*hook_t)(int what, int handle, const void *bytes, long long size, long long offset,
                      const char *path);

static hook_t hook;
static __thread int inside;

void fault_hook(hook_t given) { hook = given; }

static int ask(int what, int handle, const void *bytes, long long size, long long offset,
               const char *path) {
  if (!hook || inside) return 0;
  inside = 1;
  int answer = hook(what, handle, bytes, size, offset, path);
  inside = 0;
  if (answer > 0) errno = answer;
  return answer;
}

#define REAL(name, type) static type real; if (!real) real = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*write_t)(int, const void *, size_t);
typedef ssize_t (*pwrite_t)(int, const void *, size_t, off64_t);
typedef int (*sync_t)(int);
typedef int (*truncate_t)(int, off64_t);
typedef int (*rename_t)(const char *, const char *);
typedef int (*mkdir_t)(const char *, mode_t);
typedef int (*unlink_t)(const char *);

ssize_t write(int handle, const void *bytes, size_t size) {
  REAL("write", write_t);
  int answer = ask(WRITE, handle, bytes, size, -1, "");
  if (answer > 0) return -1;
  if (answer == 0) return real(handle, bytes, size);
  ssize_t done = real(handle, bytes, -1 - answer);
  ask(SHORT, handle, bytes, done, -1, "");
  return done;
}

ssize_t pwrite64(int handle, const void *bytes, size_t size, off64_t offset) {
  REAL("pwrite64", pwrite_t);
  int answer = ask(WRITE, handle, bytes, size, offset, "");
  if (answer > 0) return -1;
  if (answer == 0) return real(handle, bytes, size, offset);
  ssize_t done = real(handle, bytes, -1 - answer, offset);
  ask(SHORT, handle, bytes, done, offset, "");
  return done;
}

ssize_t pwrite(int handle, const void *bytes, size_t size, off_t offset) {
  return pwrite64(handle, bytes, size, offset);
}

int fsync(int handle) {
  REAL("fsync", sync_t);
  return ask(SYNC, handle, NULL, 0, 0, "") ? -1 : real(handle);
}

int fdatasync(int handle) {
  REAL("fdatasync", sync_t);
  return ask(SYNC, handle, NULL, 0, 0, "") ? -1 : real(handle);
}

int ftruncate64(int handle, off64_t size) {
  REAL("ftruncate64", truncate_t);
  return ask(TRUNCATE, handle, NULL, size, 0, "") ? -1 : real(handle, size);
}

int ftruncate(int handle, off_t size) { return ftruncate64(handle, size); }

int rename(const char *from, const char *to) {
  REAL("rename", rename_t);
  return ask(RENAME, -1, NULL, 0, 0, to) ? -1 : real(from, to);
}

int mkdir(const char *path, mode_t mode) {
  REAL("mkdir", mkdir_t);
  return ask(MKDIR, -1, NULL, 0, 0, path) ? -1 : real(path, mode);
}

int unlink(const char *path) {
  REAL("unlink", unlink_t);
  return ask(UNLINK, -1, NULL, 0, 0, path) ? -1 : real(path);
}
