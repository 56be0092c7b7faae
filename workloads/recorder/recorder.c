/*
 * Logs the allocations of a program: a library for LD_PRELOAD, built and used by `fraglab record`.
 *
 * Each process image writes one file PREFIX.PID.SERIAL, mapped and shared, so that whatever is written survives any end of
 * the process. A header page is followed by records of 16 bytes (32 with call sites). A record's place comes from one
 * counter in the header, so the order of records is the order of events: an allocation takes its place when it has
 * returned, a free before it acts, a reallocation both. Thus an address is never given out before its free is recorded.
 *
 * Record: word 0 = address (48 bits) | kind << 48 | log2 of the alignment << 56
 *         word 1 = size (44 bits) | thread << 44; with sites, word 2 = return address of the call
 * A record whose kind is 0 was claimed but not written: the process ended in between.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define COLD __attribute__((noinline, cold))
#define CALLER ((uintptr_t)__builtin_return_address(0))

#ifdef FRAGLAB_SITES
#define RECORD_WORDS 4
#else
#define RECORD_WORDS 2
#endif
#define RECORD_SHIFT (RECORD_WORDS == 4 ? 5 : 4)
#define HEADER_BYTES 4096
#define STEP_SHIFT 20 /* places are made ready 1 MiB at a time */
#define WINDOW_SHIFT 26 /* and mapped 64 MiB at a time */
#define MAX_STEPS (1u << 20) /* 1 TiB of records */
#define KEPT_STEPS 16 /* of a log this much stays in the process's resident set */
#define ADDRESS_MASK ((UINT64_C(1) << 48) - 1)
#define SIZE_BITS 44
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; elsewhere an error without effect */
#endif

enum kind { UNWRITTEN, ALLOCATE, RELEASE, RESIZE_BEGIN, RESIZE_END, FAILED, WIDE_SIZE };
enum state { UNDECIDED, STARTING, OFF, RECORD_MALLOC, RECORD_PYTHON };
enum flag { ENDED = 1, NO_ROOM = 2 };

struct header {
  char magic[8];
  uint32_t version, record_bytes;
  uint32_t pid, serial;
  _Atomic uint64_t next; /* records claimed */
  uint64_t forked_at; /* records of the parent before the fork */
  uint32_t parent_pid, parent_serial; /* 0, 0 unless this image began by fork */
  _Atomic uint32_t flags, error;
  char program[1024];
};

static _Atomic int state;
static struct header *header;
static _Atomic(unsigned char *) steps[MAX_STEPS];
static unsigned char *windows[MAX_STEPS >> (WINDOW_SHIFT - STEP_SHIFT)];
static unsigned window_count;
static atomic_flag growing = ATOMIC_FLAG_INIT;
static _Atomic uint32_t threads;
static __thread uint32_t thread_number __attribute__((tls_model("initial-exec")));
static char prefix[1024];
static int file = -1;
static uint64_t fork_point;

extern char __libc_single_threaded __attribute__((weak));

/* The allocator underneath. */

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);
static void *(*real_memalign)(size_t, size_t);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static void *(*real_valloc)(size_t);
static void *(*real_pvalloc)(size_t);
static _Atomic int resolving;

/* dlsym may allocate before the allocator is known: such blocks come from here, are not recorded and never reused. */
static _Alignas(16) unsigned char early[65536];
static _Atomic size_t early_used;

static int is_early(const void *p) { return (const unsigned char *)p >= early && (const unsigned char *)p < early + sizeof early; }

static COLD void *early_allocate(size_t size) {
  size_t need = ((size + 15) & ~(size_t)15) + 16;
  if (need < size || need > sizeof early) return NULL;
  size_t at = atomic_fetch_add(&early_used, need);
  if (at + need > sizeof early) return NULL;
  *(size_t *)(early + at) = size;
  return early + at + 16;
}

static void find_symbol(void *slot, const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  memcpy(slot, &found, sizeof found);
}

static COLD int resolve(void) {
  if (atomic_exchange(&resolving, 1)) return real_free != NULL && real_malloc != NULL;
  find_symbol(&real_calloc, "calloc");
  find_symbol(&real_realloc, "realloc");
  find_symbol(&real_memalign, "memalign");
  find_symbol(&real_posix_memalign, "posix_memalign");
  find_symbol(&real_aligned_alloc, "aligned_alloc");
  find_symbol(&real_valloc, "valloc");
  find_symbol(&real_pvalloc, "pvalloc");
  find_symbol(&real_free, "free");
  find_symbol(&real_malloc, "malloc");
  return real_malloc != NULL;
}

/* The log. */

static COLD void stop(int error) {
  atomic_store(&header->error, (uint32_t)error);
  atomic_fetch_or(&header->flags, NO_ROOM);
  atomic_store(&state, OFF);
}

static unsigned char *window_of(unsigned index) {
  if (windows[index] != NULL) return windows[index];
  off_t at = HEADER_BYTES + ((off_t)index << WINDOW_SHIFT);
  size_t bytes = (size_t)1 << WINDOW_SHIFT;
  struct rlimit limit; /* beyond it a signal would end the program */
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && (rlim_t)at + bytes > limit.rlim_cur) {
    errno = EFBIG;
    return NULL;
  }
  if (ftruncate(file, at + (off_t)bytes) != 0) return NULL;
  void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, at);
  if (mapped == MAP_FAILED) return NULL;
  windows[index] = mapped;
  if (index >= window_count) window_count = index + 1;
  return mapped;
}

static void save_maps(void) {
#ifdef FRAGLAB_SITES
  char name[1200], buffer[4096];
  size_t length = strlen(prefix);
  memcpy(name, prefix, length);
  memcpy(name + length, ".maps", 6);
  int in = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  int out = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ssize_t got;
  if (in >= 0 && out >= 0)
    while ((got = read(in, buffer, sizeof buffer)) > 0 && write(out, buffer, (size_t)got) == got) continue;
  if (in >= 0) close(in);
  if (out >= 0) close(out);
#endif
}

/*
 * Makes a step ready. Room on the disk is reserved first, because writing into a hole of a full disk kills the process.
 * Ahead of need it does nothing where there is no room, or where another thread makes a step ready at this moment.
 */
static COLD unsigned char *grow(uint64_t step, int ahead) {
  int saved = errno;
  while (atomic_flag_test_and_set(&growing)) {
    if (ahead) return NULL;
    sched_yield();
  }
  unsigned char *ready = step < MAX_STEPS ? atomic_load(&steps[step]) : NULL;
  if (ready == NULL && atomic_load(&state) >= RECORD_MALLOC) {
    const unsigned in_window = 1u << (WINDOW_SHIFT - STEP_SHIFT);
    size_t bytes = (size_t)1 << STEP_SHIFT;
    unsigned char *window = step < MAX_STEPS ? window_of((unsigned)(step / in_window)) : NULL;
    int error = step < MAX_STEPS ? 0 : EFBIG;
    if (error == 0 && window == NULL) error = errno;
    if (error == 0 && fallocate(file, 0, HEADER_BYTES + (off_t)(step << STEP_SHIFT), (off_t)bytes) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
      error = errno;
    if (error != 0) {
      if (!ahead) stop(error);
    } else {
      ready = window + (size_t)(step % in_window) * bytes;
      madvise(ready, bytes, MADV_POPULATE_WRITE);
      if (step >= KEPT_STEPS && (step & (step - 1)) != 0) {
        unsigned char *old = atomic_load(&steps[step - KEPT_STEPS]);
        if (old != NULL) madvise(old, bytes, MADV_DONTNEED);
      }
      if ((step & (step - 1)) == 0) save_maps();
      atomic_store(&steps[step], ready);
    }
  }
  atomic_flag_clear(&growing);
  errno = saved;
  return ready;
}

static inline uint64_t claim(void) {
  if (&__libc_single_threaded != NULL && __libc_single_threaded) {
    uint64_t place = atomic_load_explicit(&header->next, memory_order_relaxed);
    atomic_store_explicit(&header->next, place + 1, memory_order_relaxed);
    return place;
  }
  return atomic_fetch_add_explicit(&header->next, 1, memory_order_seq_cst);
}

static inline void write_record(enum kind kind, const void *address, uint64_t size, unsigned alignment_log, uintptr_t site) {
  uint64_t at = claim() << RECORD_SHIFT;
  uint64_t step = at >> STEP_SHIFT;
  unsigned char *base = LIKELY(step < MAX_STEPS) ? atomic_load_explicit(&steps[step], memory_order_acquire) : NULL;
  if (!LIKELY(base != NULL) && (base = grow(step, 0)) == NULL) return;
  uint64_t within = at & ((UINT64_C(1) << STEP_SHIFT) - 1);
  uint64_t *record = (uint64_t *)(base + within);
  if (!LIKELY(thread_number != 0)) thread_number = 1 + atomic_fetch_add(&threads, 1);
  record[1] = size | (uint64_t)(thread_number - 1) << SIZE_BITS;
#ifdef FRAGLAB_SITES
  record[2] = site;
#else
  (void)site;
#endif
  uint64_t first = ((uint64_t)(uintptr_t)address & ADDRESS_MASK) | (uint64_t)kind << 48 | (uint64_t)alignment_log << 56;
  atomic_store_explicit((_Atomic uint64_t *)record, first, memory_order_release);
  /* so that no thread waits for the next step */
  if (!LIKELY(within != UINT64_C(1) << (STEP_SHIFT - 1))) grow(step + 1, 1);
}

static COLD void write_wide(enum kind kind, const void *address, uint64_t size, unsigned alignment_log, uintptr_t site) {
  write_record(WIDE_SIZE, (const void *)(uintptr_t)(size >> SIZE_BITS), 0, 0, 0);
  write_record(kind, address, size & ((UINT64_C(1) << SIZE_BITS) - 1), alignment_log, site);
}

static inline void log_event(enum kind kind, const void *address, size_t size, unsigned alignment_log, uintptr_t site) {
  if (LIKELY(size >> SIZE_BITS == 0)) write_record(kind, address, size, alignment_log, site);
  else write_wide(kind, address, size, alignment_log, site);
}

static inline void log_result(const void *address, size_t size, unsigned alignment_log, uintptr_t site) {
  if (LIKELY(address != NULL)) log_event(ALLOCATE, address, size, alignment_log, site);
  else write_record(FAILED, NULL, 0, 0, site);
}

/* Start: at the first request, which may come before the C library has set up its environment. */

static char *number_to(char *at, unsigned long value) {
  char digits[24];
  int count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  while (count > 0) *at++ = digits[--count];
  return at;
}

/* The value of a variable as the process got it at exec; 0 where it is not set or too long. */
static int environment(const char *name, char *value, size_t room) {
  char buffer[4096];
  size_t matched = 0, length = 0, want = strlen(name);
  int in_name = 1, found = 0;
  int in = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
  if (in < 0) return 0;
  ssize_t got;
  while (found != 2 && (got = read(in, buffer, sizeof buffer)) > 0)
    for (ssize_t i = 0; i < got && found != 2; i++) {
      char c = buffer[i];
      if (found == 1) {
        if (length + 1 == room) { close(in); return 0; }
        value[length++] = c;
        if (c == 0) found = 2;
      } else if (c == 0) { matched = 0; in_name = 1; }
      else if (in_name && matched < want && c == name[matched]) matched++;
      else if (in_name && matched == want && c == '=') found = 1;
      else in_name = 0;
    }
  close(in);
  if (found == 1) value[length] = 0;
  return found != 0 && length > 0;
}

/* A file and header of its own for this process image. */
static int open_log(uint32_t parent_pid, uint32_t parent_serial) {
  char name[1200];
  uint32_t serial = 0;
  size_t length = strlen(prefix);
  memcpy(name, prefix, length);
  name[length] = '.';
  char *at = number_to(name + length + 1, (unsigned long)getpid());
  *at++ = '.';
  do {
    *number_to(at, ++serial) = 0;
    file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  } while (file < 0 && errno == EEXIST && serial < 100000);
  if (file < 0) return 0;
  if (ftruncate(file, HEADER_BYTES) != 0) return 0;
  void *mapped = mmap(NULL, HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return 0;
  struct header *fresh = mapped;
  memcpy(fresh->magic, "\x89" "FGR\r\n\x1a\n", 8);
  fresh->version = 1;
  fresh->record_bytes = RECORD_WORDS * 8;
  fresh->pid = (uint32_t)getpid();
  fresh->serial = serial;
  fresh->parent_pid = parent_pid;
  fresh->parent_serial = parent_serial;
  fresh->forked_at = fork_point;
  ssize_t got = readlink("/proc/self/exe", fresh->program, sizeof fresh->program - 1);
  if (got < 0) fresh->program[0] = 0;
  header = fresh;
  return 1;
}

static COLD int start(void) {
  int expected = UNDECIDED;
  if (!atomic_compare_exchange_strong(&state, &expected, STARTING)) return atomic_load(&state);
  int saved = errno;
  char how[16];
  int next = OFF;
  if (environment("FRAGLAB_RECORD", prefix, sizeof prefix) && open_log(0, 0))
    next = environment("FRAGLAB_RECORD_PYTHON", how, sizeof how) ? RECORD_PYTHON : RECORD_MALLOC;
  atomic_store(&state, next);
  errno = saved;
  return next;
}

static inline int recording(void) {
  int now = atomic_load_explicit(&state, memory_order_relaxed);
  if (LIKELY(now == RECORD_MALLOC)) return 1;
  return now == UNDECIDED && start() == RECORD_MALLOC;
}

/* Fork: the child's addresses are its own, so it goes on in a file of its own. */

static void before_fork(void) {
  if (header != NULL) fork_point = atomic_load(&header->next);
}

static void in_child(void) {
  if (atomic_load(&state) < RECORD_MALLOC) return;
  int saved = errno, mode = atomic_load(&state);
  uint32_t parent_pid = header->pid, parent_serial = header->serial;
  atomic_store(&state, STARTING);
  for (unsigned i = 0; i < window_count; i++) {
    if (windows[i] == NULL) continue;
    munmap(windows[i], (size_t)1 << WINDOW_SHIFT);
    windows[i] = NULL;
    memset((void *)&steps[(size_t)i << (WINDOW_SHIFT - STEP_SHIFT)], 0, sizeof steps[0] << (WINDOW_SHIFT - STEP_SHIFT));
  }
  window_count = 0;
  munmap(header, HEADER_BYTES);
  close(file);
  atomic_flag_clear(&growing);
  atomic_store(&state, open_log(parent_pid, parent_serial) ? mode : OFF);
  errno = saved;
}

/* Interposed functions. */

EXPORT void *malloc(size_t size) {
  if (!LIKELY(real_malloc != NULL) && !resolve()) return early_allocate(size);
  void *p = real_malloc(size);
  if (LIKELY(recording())) log_result(p, size, 0, CALLER);
  return p;
}

EXPORT void *calloc(size_t count, size_t size) {
  /* early blocks are zero: none is used twice */
  if (!LIKELY(real_malloc != NULL) && !resolve()) return early_allocate(count * size);
  void *p = real_calloc(count, size);
  if (LIKELY(recording())) log_result(p, count * size, 0, CALLER);
  return p;
}

EXPORT void free(void *p) {
  if (!LIKELY(real_malloc != NULL) && !resolve()) return;
  if (is_early(p)) return;
  if (LIKELY(recording())) write_record(RELEASE, p, 0, 0, CALLER);
  real_free(p);
}

static void *resize(void *old, size_t size, uintptr_t site) {
  if (!LIKELY(real_malloc != NULL) && !resolve()) return old == NULL ? early_allocate(size) : NULL;
  int logged = LIKELY(recording());
  if (is_early(old)) {
    size_t had = *(size_t *)((unsigned char *)old - 16);
    void *moved = real_malloc(size);
    if (moved != NULL) memcpy(moved, old, had < size ? had : size);
    if (logged) log_result(moved, size, 0, site);
    return moved;
  }
  if (logged && old != NULL) write_record(RESIZE_BEGIN, old, 0, 0, site);
  void *p = real_realloc(old, size);
  if (!logged) return p;
  if (old == NULL) log_result(p, size, 0, site);
  else log_event(RESIZE_END, p, size, 0, site);
  return p;
}

EXPORT void *realloc(void *old, size_t size) { return resize(old, size, CALLER); }

EXPORT void *reallocarray(void *old, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return resize(old, bytes, CALLER);
}

static unsigned log2_of(size_t alignment) {
  return alignment <= 1 ? 0 : 64 - (unsigned)__builtin_clzll((unsigned long long)alignment - 1);
}

static void *aligned(void *p, size_t size, size_t alignment, uintptr_t site) {
  if (LIKELY(recording())) log_result(p, size, log2_of(alignment), site);
  return p;
}

EXPORT void *memalign(size_t alignment, size_t size) {
  if ((real_malloc == NULL && !resolve()) || real_memalign == NULL) return NULL;
  return aligned(real_memalign(alignment, size), size, alignment, CALLER);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size) {
  if ((real_malloc == NULL && !resolve()) || real_aligned_alloc == NULL) return NULL;
  return aligned(real_aligned_alloc(alignment, size), size, alignment, CALLER);
}

EXPORT int posix_memalign(void **result, size_t alignment, size_t size) {
  if ((real_malloc == NULL && !resolve()) || real_posix_memalign == NULL) return ENOMEM;
  int status = real_posix_memalign(result, alignment, size);
  aligned(status == 0 ? *result : NULL, size, alignment, CALLER);
  return status;
}

EXPORT void *valloc(size_t size) {
  if ((real_malloc == NULL && !resolve()) || real_valloc == NULL) return NULL;
  return aligned(real_valloc(size), size, (size_t)sysconf(_SC_PAGESIZE), CALLER);
}

EXPORT void *pvalloc(size_t size) {
  if ((real_malloc == NULL && !resolve()) || real_pvalloc == NULL) return NULL;
  return aligned(real_pvalloc(size), size, (size_t)sysconf(_SC_PAGESIZE), CALLER);
}

#ifdef FRAGLAB_SITES
/* The C++ operators, so that the site is their caller and not the operator; where they fail the real one has its say. */
#define OPERATOR_NEW(name)                                                                                                    \
  EXPORT void *name(size_t size) {                                                                                            \
    static void *(*real)(size_t);                                                                                             \
    void *p = real_malloc != NULL || resolve() ? real_malloc(size == 0 ? 1 : size) : NULL;                                    \
    if (LIKELY(p != NULL)) {                                                                                                  \
      if (recording()) log_event(ALLOCATE, p, size == 0 ? 1 : size, 0, CALLER);                                               \
      return p;                                                                                                               \
    }                                                                                                                         \
    if (real == NULL) find_symbol(&real, #name);                                                                              \
    return real(size);                                                                                                        \
  }
#if __SIZEOF_SIZE_T__ == 8
OPERATOR_NEW(_Znwm)
OPERATOR_NEW(_Znam)
#else
OPERATOR_NEW(_Znwj)
OPERATOR_NEW(_Znaj)
#endif
#endif

/* Python: the MEM and OBJ domains, above pymalloc (CPython 3.5 and later, Include/cpython/pymem.h). */

struct python_allocator {
  void *context;
  void *(*malloc)(void *, size_t);
  void *(*calloc)(void *, size_t, size_t);
  void *(*realloc)(void *, void *, size_t);
  void (*free)(void *, void *);
};
static struct python_allocator beneath[3];

static void *python_malloc(void *domain, size_t size) {
  struct python_allocator *real = domain;
  void *p = real->malloc(real->context, size);
  log_result(p, size, 0, CALLER);
  return p;
}

static void *python_calloc(void *domain, size_t count, size_t size) {
  struct python_allocator *real = domain;
  void *p = real->calloc(real->context, count, size);
  log_result(p, count * size, 0, CALLER);
  return p;
}

static void *python_realloc(void *domain, void *old, size_t size) {
  struct python_allocator *real = domain;
  if (old != NULL) write_record(RESIZE_BEGIN, old, 0, 0, CALLER);
  void *p = real->realloc(real->context, old, size);
  if (old == NULL) log_result(p, size, 0, CALLER);
  else if (p == NULL && size == 0) log_event(RESIZE_END, NULL, 1, 0, CALLER); /* a failure: Python never frees this way */
  else log_event(RESIZE_END, p, size, 0, CALLER);
  return p;
}

static void python_free(void *domain, void *p) {
  struct python_allocator *real = domain;
  write_record(RELEASE, p, 0, 0, CALLER);
  real->free(real->context, p);
}

static void wrap_python(void) {
  void (*get)(int, struct python_allocator *);
  void (*set)(int, struct python_allocator *);
  void *found = dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
  memcpy(&get, &found, sizeof found);
  found = dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
  memcpy(&set, &found, sizeof found);
  if (get == NULL || set == NULL) return;
  for (int domain = 1; domain <= 2; domain++) {
    get(domain, &beneath[domain]);
    struct python_allocator ours = {&beneath[domain], python_malloc, python_calloc, python_realloc, python_free};
    set(domain, &ours);
  }
}

__attribute__((constructor)) static void load(void) {
  resolve();
  if (atomic_load(&state) == UNDECIDED) start();
  if (atomic_load(&state) < RECORD_MALLOC) return;
  pthread_atfork(before_fork, NULL, in_child);
  save_maps();
  if (atomic_load(&state) == RECORD_PYTHON) wrap_python();
}

__attribute__((destructor)) static void unload(void) {
  if (header == NULL) return;
  save_maps();
  atomic_fetch_or(&header->flags, ENDED);
}
