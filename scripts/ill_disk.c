/* An ill disk, by LD_PRELOAD. It holds for the files below $ILL_DISK, whose path may end in a part of a name:
 *
 *   $ILL_DISK_HANGS      fsync and fdatasync do not come back while this file exists
 *   $ILL_DISK_SYNCS      after so many of them each fails with EIO, until the file $ILL_DISK_MENDED exists
 *   $ILL_DISK_FULL       while this file exists nothing can be written: ENOSPC
 *
 *   cc -shared -fPIC -O2 -o ill_disk.so scripts/ill_disk.c
 *   LD_PRELOAD=$PWD/ill_disk.so ILL_DISK=$PWD ILL_DISK_SYNCS=40 wxops serve
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_int synced;

static int is_there(const char *variable) {
    const char *path = getenv(variable);
    return path && access(path, F_OK) == 0;
}

static int is_ours(int fd) {
    const char *prefix = getenv("ILL_DISK");
    if (!prefix) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

/* 0, or -1 with errno. */
static int ill_sync(int fd) {
    if (!is_ours(fd)) return 0;
    while (is_there("ILL_DISK_HANGS")) {
        struct timespec moment = {0, 5 * 1000 * 1000};
        nanosleep(&moment, 0);
    }
    const char *most = getenv("ILL_DISK_SYNCS");
    if (most && atomic_fetch_add(&synced, 1) >= atoi(most) && !is_there("ILL_DISK_MENDED")) {
        errno = EIO;
        return -1;
    }
    return 0;
}

static int is_full(int fd) {
    if (!getenv("ILL_DISK_FULL") || !is_ours(fd) || !is_there("ILL_DISK_FULL")) return 0;
    errno = ENOSPC;
    return 1;
}

int fsync(int fd) { return ill_sync(fd) ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return ill_sync(fd) ? -1 : (int)syscall(SYS_fdatasync, fd); }

ssize_t write(int fd, const void *data, size_t size) {
    return is_full(fd) ? -1 : syscall(SYS_write, fd, data, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    return is_full(fd) ? -1 : syscall(SYS_writev, fd, parts, count);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return is_full(fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return is_full(fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}
int fallocate(int fd, int mode, off_t at, off_t size) {
    return is_full(fd) ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, size);
}
int posix_fallocate(int fd, off_t at, off_t size) {
    if (is_full(fd)) return ENOSPC;
    return syscall(SYS_fallocate, fd, 0, at, size) == 0 ? 0 : errno;
}
