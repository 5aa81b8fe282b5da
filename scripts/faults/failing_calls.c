/* A library that makes chosen calls to the operating system fail, knows what a power cut takes, and
 * sets the clock.
 *
 * Loaded by LD_PRELOAD in front of libc. What shall fail stands in a file that is mapped into the
 * process that decides and into those that suffer; scripts/faults/failing_calls.py lays it out and
 * says what its fields mean. Only files under `folder` count.
 *
 * A file's bytes are copied to `disk`, under the number of its inode, when a sync of it succeeds.
 * A sync that fails forgets which bytes were to be written, as Linux does: a later one succeeds
 * without them. So `disk` holds what would still be there after a power cut.
 *
 *   cc -O2 -shared -fPIC -o failing_calls.so failing_calls.c -ldl -lpthread
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum call { WRITE, SYNC, RENAME, UNLINK, OPEN, READ, TRUNCATE, MKDIR, MAP, CALLS };
enum place { DATABASE, LOG, WORDS, SEGMENTS, OTHER, PLACES };
enum how { REFUSED, SHORT, TORN };

#define MOST_RANGES 65536

struct range {
    uint64_t inode, start, end;
};

struct control {
    int32_t armed, call, place, how, error, skip, times, failed;
    int32_t seen[CALLS][PLACES];
    int64_t clock_s;
    char folder[512], disk[512];
    uint64_t ranges;
    struct range unsynced[MOST_RANGES];
};

static struct control *control;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

#define REAL(result, name, ...)                                        \
    static result (*real)(__VA_ARGS__);                                \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t plain_pread(int fd, void *data, size_t size, off_t at) {
    REAL(ssize_t, "pread", int, void *, size_t, off_t);
    return real(fd, data, size, at);
}

static ssize_t plain_pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return real(fd, data, size, at);
}

static ssize_t plain_write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return real(fd, data, size);
}

int ftruncate64(int fd, off64_t size);

static int plain_openat(int folder, const char *path, int flags, mode_t mode) {
    REAL(int, "openat", int, const char *, int, ...);
    return real(folder, path, flags, mode);
}

static int plain_unlinkat(int folder, const char *path, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    return real(folder, path, flags);
}

__attribute__((constructor)) static void take_control(void) {
    const char *path = getenv("FAILING_CALLS");
    int fd = path ? plain_openat(AT_FDCWD, path, O_RDWR, 0) : -1;
    if (fd < 0) return;
    void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED) control = mapped;
    close(fd);
}

/* Where in the store a path lies; -1: not in it, or it is memory that SQLite's readers share. */
static int place_of(const char *path) {
    size_t length = strlen(control->folder), whole = strlen(path);
    if (!length || strncmp(path, control->folder, length) || (path[length] && path[length] != '/'))
        return -1;
    const char *name = path + length;
    if (whole > 4 && !strcmp(path + whole - 4, "-shm")) return -1;
    if (!strncmp(name, "/words", 6)) return WORDS;
    if (!strncmp(name, "/segments", 9)) return SEGMENTS;
    if (!strcmp(name, "/nutgraf.db")) return DATABASE;
    if (!strcmp(name, "/nutgraf.db-wal")) return LOG;
    return OTHER;
}

static int place_of_fd(int fd) {
    char link[64], path[PATH_MAX];
    if (!control || !control->folder[0] || fd < 0) return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return -1;
    path[length] = 0;
    return place_of(path);
}

static int place_at(int folder, const char *path) {
    char link[64], whole[2 * PATH_MAX];
    if (!control || !control->folder[0]) return -1;
    if (path[0] == '/') return place_of(path);
    if (folder == AT_FDCWD) return -1; /* the harness names stores by absolute paths */
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, whole, PATH_MAX);
    if (length < 0) return -1;
    snprintf(whole + length, PATH_MAX, "/%s", path);
    return place_of(whole);
}

/* Whether this call is to fail. */
static int strikes(enum call call, int place) {
    if (place < 0) return 0;
    __atomic_add_fetch(&control->seen[call][place], 1, __ATOMIC_SEQ_CST);
    if (!control->armed || control->call != (int)call) return 0;
    if (control->place >= 0 && control->place != place) return 0;
    if (__atomic_sub_fetch(&control->skip, 1, __ATOMIC_SEQ_CST) >= 0) return 0;
    if (control->times >= 0 && __atomic_sub_fetch(&control->times, 1, __ATOMIC_SEQ_CST) < 0) {
        control->times = 0;
        return 0;
    }
    __atomic_add_fetch(&control->failed, 1, __ATOMIC_SEQ_CST);
    errno = control->error;
    return 1;
}

/* ------------------------------------------------------------------ what is on the disk */

static int image_of(uint64_t inode, int flags) {
    char path[600];
    snprintf(path, sizeof path, "%s/%llu", control->disk, (unsigned long long)inode);
    return plain_openat(AT_FDCWD, path, flags, 0600);
}

static int inode_of(int fd, uint64_t *inode) {
    struct stat about;
    if (!control->disk[0] || fstat(fd, &about) || !S_ISREG(about.st_mode)) return 0;
    *inode = about.st_ino;
    return 1;
}

static void note_write(int fd, off_t start, ssize_t size) {
    int saved = errno;
    uint64_t inode;
    if (size > 0 && inode_of(fd, &inode)) {
        pthread_mutex_lock(&guard);
        if (control->ranges >= MOST_RANGES) abort();
        control->unsynced[control->ranges++] = (struct range){inode, start, start + size};
        pthread_mutex_unlock(&guard);
    }
    errno = saved;
}

static void copy_range(int fd, int image, struct range range) {
    char data[65536];
    for (off_t at = range.start; at < (off_t)range.end;) {
        size_t wanted = range.end - at < sizeof data ? range.end - at : sizeof data;
        ssize_t got = plain_pread(fd, data, wanted, at);
        if (got <= 0 || plain_pwrite(image, data, got, at) != got) return;
        at += got;
    }
}

static void note_sync(int fd, int succeeded) {
    int saved = errno;
    uint64_t inode, kept = 0;
    if (inode_of(fd, &inode)) {
        pthread_mutex_lock(&guard);
        /* The descriptor may be open for writing only. */
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        int file = plain_openat(AT_FDCWD, link, O_RDONLY, 0);
        int image = succeeded ? image_of(inode, O_WRONLY | O_CREAT) : -1;
        for (uint64_t at = 0; at < control->ranges; at++) {
            struct range range = control->unsynced[at];
            if (range.inode != inode) control->unsynced[kept++] = range;
            else if (succeeded) copy_range(file, image, range);
        }
        control->ranges = kept;
        if (image >= 0) close(image);
        if (file >= 0) close(file);
        pthread_mutex_unlock(&guard);
    }
    errno = saved;
}

static void note_truncate(int fd, off_t size) {
    int saved = errno;
    uint64_t inode;
    if (inode_of(fd, &inode)) {
        int image = image_of(inode, O_WRONLY | O_CREAT);
        if (image >= 0) {
            if (ftruncate64(image, size)) abort();
            close(image);
        }
    }
    errno = saved;
}

/* An inode's number may come again: what was noted of it ends with its last name. */
static void note_gone(uint64_t inode) {
    int saved = errno;
    char path[600];
    uint64_t kept = 0;
    pthread_mutex_lock(&guard);
    snprintf(path, sizeof path, "%s/%llu", control->disk, (unsigned long long)inode);
    plain_unlinkat(AT_FDCWD, path, 0);
    for (uint64_t at = 0; at < control->ranges; at++)
        if (control->unsynced[at].inode != inode)
            control->unsynced[kept++] = control->unsynced[at];
    control->ranges = kept;
    pthread_mutex_unlock(&guard);
    errno = saved;
}

static uint64_t inode_at(int folder, const char *path) {
    struct stat about;
    if (!control || !control->disk[0] || fstatat(folder, path, &about, AT_SYMLINK_NOFOLLOW)) return 0;
    return S_ISREG(about.st_mode) && about.st_nlink == 1 ? about.st_ino : 0;
}

/* ------------------------------------------------------------------ the calls */

/* Writes `size` bytes by `write_some`, or what is left of them when it strikes. */
#define WRITTEN(fd, size, start_of_it, write_some)                     \
    int place = place_of_fd(fd);                                       \
    if (place < 0) {                                                   \
        size_t some = size;                                            \
        return write_some;                                             \
    }                                                                  \
    off_t start = start_of_it;                                         \
    int struck = strikes(WRITE, place), error = errno;                 \
    if (struck && control->how == REFUSED) return -1;                  \
    size_t some = struck ? size / 2 : size;                            \
    ssize_t written = some || !struck ? write_some : 0;                \
    note_write(fd, start, written);                                    \
    if (struck && (control->how == TORN || !written)) {                \
        errno = error;                                                 \
        return -1;                                                     \
    }                                                                  \
    return written

static off_t end_or_position(int fd) {
    if (fcntl(fd, F_GETFL) & O_APPEND) return lseek64(fd, 0, SEEK_END);
    return lseek64(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t size) {
    WRITTEN(fd, size, end_or_position(fd), plain_write(fd, data, some));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    WRITTEN(fd, size, at, plain_pwrite(fd, data, some, at));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return pwrite(fd, data, size, at);
}

/* Of several pieces the first alone is written: whoever wrote them must write the rest. */
ssize_t writev(int fd, const struct iovec *pieces, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    if (place_of_fd(fd) < 0) return real(fd, pieces, count);
    int at = 0;
    while (at < count - 1 && !pieces[at].iov_len) at++;
    return count ? write(fd, pieces[at].iov_base, pieces[at].iov_len) : 0;
}

ssize_t read(int fd, void *data, size_t size) {
    REAL(ssize_t, "read", int, void *, size_t);
    return strikes(READ, place_of_fd(fd)) ? -1 : real(fd, data, size);
}

ssize_t pread(int fd, void *data, size_t size, off_t at) {
    return strikes(READ, place_of_fd(fd)) ? -1 : plain_pread(fd, data, size, at);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t at) { return pread(fd, data, size, at); }

static int synced(int fd, int (*real)(int)) {
    int place = place_of_fd(fd);
    if (place < 0) return real(fd);
    int struck = strikes(SYNC, place), error = errno;
    int result = struck ? -1 : real(fd);
    note_sync(fd, result == 0);
    if (struck) errno = error;
    return result;
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return synced(fd, real);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return synced(fd, real);
}

static int truncated(int fd, off_t size) {
    REAL(int, "ftruncate", int, off_t);
    int place = place_of_fd(fd);
    if (place >= 0 && strikes(TRUNCATE, place)) return -1;
    int result = real(fd, size);
    if (!result && place >= 0) note_truncate(fd, size);
    return result;
}

int ftruncate(int fd, off_t size) { return truncated(fd, size); }

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    REAL(int, "renameat", int, const char *, int, const char *);
    if (strikes(RENAME, place_at(to_folder, to))) return -1;
    uint64_t replaced = inode_at(to_folder, to);
    int result = real(from_folder, from, to_folder, to);
    if (!result && replaced && place_at(to_folder, to) >= 0) note_gone(replaced);
    return result;
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

int unlinkat(int folder, const char *path, int flags) {
    int place = place_at(folder, path);
    if (strikes(UNLINK, place)) return -1;
    uint64_t gone = place >= 0 ? inode_at(folder, path) : 0;
    int result = plain_unlinkat(folder, path, flags);
    if (!result && gone) note_gone(gone);
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(int, "mkdirat", int, const char *, mode_t);
    return strikes(MKDIR, place_at(folder, path)) ? -1 : real(folder, path, mode);
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

static int opened(int folder, const char *path, int flags, mode_t mode) {
    int place = place_at(folder, path);
    if (strikes(OPEN, place)) return -1;
    int fd = plain_openat(folder, path, flags, mode);
    if (fd >= 0 && place >= 0 && flags & O_TRUNC) note_truncate(fd, 0);
    return fd;
}

#define MODE(flags)                                                    \
    mode_t mode = 0;                                                   \
    if (flags & (O_CREAT | __O_TMPFILE)) {                             \
        va_list more;                                                  \
        va_start(more, flags);                                         \
        mode = va_arg(more, mode_t);                                   \
        va_end(more);                                                  \
    }

int openat(int folder, const char *path, int flags, ...) {
    MODE(flags)
    return opened(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags)
    return opened(folder, path, flags | O_LARGEFILE, mode);
}

int open(const char *path, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

void *mmap(void *where, size_t size, int protection, int flags, int fd, off_t at) {
    REAL(void *, "mmap", void *, size_t, int, int, int, off_t);
    if (control && fd >= 0 && strikes(MAP, place_of_fd(fd))) return MAP_FAILED;
    return real(where, size, protection, flags, fd, at);
}

void *mmap64(void *where, size_t size, int protection, int flags, int fd, off64_t at) {
    return mmap(where, size, protection, flags, fd, at);
}

int ftruncate64(int fd, off64_t size) { return truncated(fd, size); }

/* ------------------------------------------------------------------ the clock on the wall */

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    int result = real(clock, now);
    if (!result && control && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += control->clock_s;
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}
