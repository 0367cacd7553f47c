/* A slow disk, by LD_PRELOAD: fsync and fdatasync take $SLOW_FSYNC_MS longer (milliseconds, fractions too).
 *
 *   cc -shared -fPIC -O2 -o slow_fsync.so scripts/slow_fsync.c
 *   LD_PRELOAD=$PWD/slow_fsync.so SLOW_FSYNC_MS=200 wxops serve
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_for_the_disk(void) {
    const char *text = getenv("SLOW_FSYNC_MS");
    double ms = text ? atof(text) : 0;
    if (ms <= 0) return;
    struct timespec left = {(time_t)(ms / 1e3), 0};
    left.tv_nsec = (long)((ms - (double)left.tv_sec * 1e3) * 1e6);
    while (nanosleep(&left, &left) == -1 && errno == EINTR) {}
}

int fsync(int fd) {
    wait_for_the_disk();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    wait_for_the_disk();
    return (int)syscall(SYS_fdatasync, fd);
}
