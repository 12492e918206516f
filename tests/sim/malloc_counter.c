/* Counts, from outside, what each thread of a program asks of the C library's heap.
 *
 * Loaded before the C library (LD_PRELOAD), it stands in for every way to ask for heap memory and
 * hands on to the library's own. Counts lie in the file named by MALLOC_COUNTS: 64 places of
 * 16 bytes, thread id (0: free) and calls, both u64 in native order. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PLACES = 64 };
struct place {
    uint64_t thread;
    uint64_t calls;
};

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static struct place *places;
static __thread struct place *mine __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void map_counts(void)
{
    const char *name = getenv("MALLOC_COUNTS");
    int file = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        _exit(99);
    void *start = mmap(NULL, PLACES * sizeof *places, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (start == MAP_FAILED)
        _exit(99);
    close(file);
    __atomic_store_n(&places, start, __ATOMIC_RELEASE);
}

/* Calls from before the constructor belong to the loader and are not counted. */
static void count(void)
{
    struct place *all = __atomic_load_n(&places, __ATOMIC_ACQUIRE);
    if (!all)
        return;
    uint64_t self = (uint64_t)gettid();
    for (int at = 0; !mine && at < PLACES; at++) {
        uint64_t nobody = 0;
        if (__atomic_compare_exchange_n(&all[at].thread, &nobody, self, 0, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            mine = &all[at];
    }
    if (mine)
        __atomic_fetch_add(&mine->calls, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t align, size_t size)
{
    count();
    return __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    count();
    return __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    count();
    void *found = __libc_memalign(align, size);
    if (!found)
        return ENOMEM;
    *out = found;
    return 0;
}
