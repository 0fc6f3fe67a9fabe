/*
 * A disk for tests, between a process and its files: preloaded (ld.so(8), LD_PRELOAD), it can note what is written and
 * synced in one directory, refuse it, or take its time.
 *
 *   HOLDFAST_DISK          the directory: an absolute path
 *   HOLDFAST_DISK_LOG      a file that every change of it is appended to; nothing is synced then but on paper
 *   HOLDFAST_DISK_FAULTS   a directory that may hold files while the process runs:
 *                            write   "ERRNO EVERY": each EVERYth write fails with ERRNO
 *                            sync    the same for fsync(2) and fdatasync(2)
 *                            hold    a sync takes until it is gone
 *   HOLDFAST_DISK_BOOT_ID  a file to be read in place of /proc/sys/kernel/random/boot_id
 *
 * A record of the log is a header, struct record, and `length` bytes. What was written is noted after it was, and a sync
 * both before and after, so that a write counts as covered by a sync only if it had ended before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE, OPEN, RENAME, UNLINK, MKDIR, SYNC_BEGIN, SYNC_END };

struct record {
  uint64_t kind;
  uint64_t file;   /* inode number */
  uint64_t number; /* WRITE: offset; TRUNCATE: length; RENAME: length of the first path; SYNC_*: which one; SYNC_END: | failed << 63 */
  uint64_t length;
};

#define DESCRIPTORS 4096

static const char *disk, *faults, *boot_id;
static int log_descriptor = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Of each descriptor of a file on the disk, its inode number; else 0. */
static uint64_t files[DESCRIPTORS];
/* Numbers them, across all processes. */
static uint64_t syncs;

__attribute__((constructor)) static void start(void) {
  disk = getenv("HOLDFAST_DISK");
  faults = getenv("HOLDFAST_DISK_FAULTS");
  boot_id = getenv("HOLDFAST_DISK_BOOT_ID");
  const char *log = getenv("HOLDFAST_DISK_LOG");
  syncs = (uint64_t)getpid() << 32;
  if (log)
    log_descriptor =
        syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_on_disk(const char *path) {
  if (!disk) return 0;
  size_t length = strlen(disk);
  return strncmp(path, disk, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static uint64_t file_of(int descriptor) {
  return descriptor >= 0 && descriptor < DESCRIPTORS ? files[descriptor] : 0;
}

static void note(enum kind kind, uint64_t file, uint64_t number, const struct iovec *parts, int count) {
  if (log_descriptor < 0) return;
  int error = errno;
  struct record record = {kind, file, number, 0};
  struct iovec all[1 + count];
  all[0] = (struct iovec){&record, sizeof record};
  for (int i = 0; i < count; i++) {
    all[i + 1] = parts[i];
    record.length += parts[i].iov_len;
  }
  if (syscall(SYS_writev, log_descriptor, all, count + 1) != (long)(sizeof record + record.length))
    abort();
  errno = error;
}

/* Reads up to two numbers out of a file of HOLDFAST_DISK_FAULTS. */
static int read_fault(const char *name, long *first, long *second) {
  if (!faults) return 0;
  char path[PATH_MAX], text[64];
  snprintf(path, sizeof path, "%s/%s", faults, name);
  int descriptor = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  long length = syscall(SYS_read, descriptor, text, sizeof text - 1);
  syscall(SYS_close, descriptor);
  if (length <= 0) return 0;
  text[length] = 0;
  *second = 1;
  return sscanf(text, "%ld %ld", first, second) >= 1;
}

/* The errno that this operation is to fail with, or 0. */
static int fault(const char *name, unsigned long *passes) {
  long error, every;
  if (!read_fault(name, &error, &every)) return 0;
  return __atomic_add_fetch(passes, 1, __ATOMIC_RELAXED) % every == 0 ? error : 0;
}

static int refuses_write(int descriptor) {
  static unsigned long passes;
  if (!file_of(descriptor)) return 0;
  int error = fault("write", &passes);
  if (error) errno = error;
  return error != 0;
}

static void wrote(int descriptor, const struct iovec *parts, int count, long written, long offset) {
  uint64_t file = file_of(descriptor);
  if (!file || written <= 0 || log_descriptor < 0) return;
  struct iovec done[count];
  int used = 0;
  for (long left = written; left > 0; used++) {
    done[used] = parts[used];
    if ((long)done[used].iov_len > left) done[used].iov_len = left;
    left -= done[used].iov_len;
  }
  if (offset < 0) offset = syscall(SYS_lseek, descriptor, 0, SEEK_CUR) - written;
  note(WRITE, file, offset, done, used);
}

static void opened(const char *path, int descriptor, int flags) {
  struct stat status;
  if (descriptor < 0 || descriptor >= DESCRIPTORS) return;
  files[descriptor] = 0;
  if (!is_on_disk(path) || fstat(descriptor, &status) < 0) return;
  files[descriptor] = status.st_ino;
  struct iovec name = {(void *)path, strlen(path)};
  note(OPEN, status.st_ino, 0, &name, 1);
  if (flags & O_TRUNC) note(TRUNCATE, status.st_ino, 0, 0, 0);
}

int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;
  va_end(list);
  if (boot_id && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) path = boot_id;
  pthread_mutex_lock(&lock);
  int descriptor = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  opened(path, descriptor, flags);
  pthread_mutex_unlock(&lock);
  return descriptor;
}

int open(const char *path, int flags, ...) __attribute__((alias("open64")));

int close(int descriptor) {
  if (descriptor >= 0 && descriptor < DESCRIPTORS) files[descriptor] = 0;
  return syscall(SYS_close, descriptor);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  if (refuses_write(descriptor)) return -1;
  ssize_t written = syscall(SYS_write, descriptor, bytes, length);
  wrote(descriptor, &(struct iovec){(void *)bytes, length}, 1, written, -1);
  return written;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  if (refuses_write(descriptor)) return -1;
  ssize_t written = syscall(SYS_writev, descriptor, parts, count);
  wrote(descriptor, parts, count, written, -1);
  return written;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t offset) {
  if (refuses_write(descriptor)) return -1;
  ssize_t written = syscall(SYS_pwrite64, descriptor, bytes, length, offset);
  wrote(descriptor, &(struct iovec){(void *)bytes, length}, 1, written, offset);
  return written;
}

ssize_t pwrite(int, const void *, size_t, off_t) __attribute__((alias("pwrite64")));

int ftruncate64(int descriptor, off64_t length) {
  int result = syscall(SYS_ftruncate, descriptor, length);
  if (result == 0 && file_of(descriptor)) note(TRUNCATE, file_of(descriptor), length, 0, 0);
  return result;
}

int ftruncate(int, off_t) __attribute__((alias("ftruncate64")));

static int synced(int descriptor, long call) {
  static unsigned long passes;
  uint64_t file = file_of(descriptor);
  if (!file) return syscall(call, descriptor);
  uint64_t number = __atomic_add_fetch(&syncs, 1, __ATOMIC_RELAXED);
  note(SYNC_BEGIN, file, number, 0, 0);
  long any;
  while (read_fault("hold", &any, &any)) nanosleep(&(struct timespec){0, 10000000}, 0);
  int error = fault("sync", &passes);
  int result = error ? -1 : log_descriptor < 0 ? syscall(call, descriptor) : 0;
  if (error) errno = error;
  note(SYNC_END, file, number | (uint64_t)(result < 0) << 63, 0, 0);
  return result;
}

int fsync(int descriptor) { return synced(descriptor, SYS_fsync); }

int fdatasync(int descriptor) { return synced(descriptor, SYS_fdatasync); }

int rename(const char *from, const char *to) {
  pthread_mutex_lock(&lock);
  int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  if (result == 0 && is_on_disk(from))
    note(RENAME, 0, strlen(from),
         (struct iovec[]){{(void *)from, strlen(from)}, {(void *)to, strlen(to)}}, 2);
  pthread_mutex_unlock(&lock);
  return result;
}

int unlink(const char *path) {
  pthread_mutex_lock(&lock);
  int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (result == 0 && is_on_disk(path))
    note(UNLINK, 0, 0, &(struct iovec){(void *)path, strlen(path)}, 1);
  pthread_mutex_unlock(&lock);
  return result;
}

int mkdir(const char *path, mode_t mode) {
  pthread_mutex_lock(&lock);
  int result = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  if (result == 0 && is_on_disk(path))
    note(MKDIR, 0, 0, &(struct iovec){(void *)path, strlen(path)}, 1);
  pthread_mutex_unlock(&lock);
  return result;
}
