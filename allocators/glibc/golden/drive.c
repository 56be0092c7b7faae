/*
 * Drives the C library's malloc through a list of operations and says where every chunk went. Reads records of four
 * int32 from stdin: operation (0 malloc, 1 free, 2 realloc, 3 memalign), slot, size, alignment. Writes three int32 for
 * each: the address in units of 16 bytes from the start of the heap, or -1 - (address in its page / 16) for a mapping,
 * or -1000 for a free; usable bytes; and the pages below the break. Allocates nothing itself.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST 200000
static int32_t in[MOST][4], out[MOST][3];
static void *slots[MOST];

int main(void) {
  size_t have = 0;
  ssize_t got;
  while ((got = read(0, (char *)in + have, sizeof in - have)) > 0) have += (size_t)got;
  size_t n = have / sizeof in[0];
  char *start = sbrk(0);
  for (size_t i = 0; i < n; i++) {
    void **slot = &slots[in[i][1]];
    size_t size = (size_t)(uint32_t)in[i][2];
    switch (in[i][0]) {
      case 0: *slot = malloc(size); break;
      case 1: free(*slot); *slot = NULL; break;
      case 2: *slot = realloc(*slot, size); break;
      default: *slot = memalign((size_t)in[i][3], size);
    }
    char *end = sbrk(0);
    char *at = *slot;
    out[i][0] = at == NULL ? -1000 : at >= start && at < end ? (int32_t)((at - start) / 16)
                                                             : -1 - (int32_t)(((uintptr_t)at & 4095) / 16);
    out[i][1] = at == NULL ? 0 : (int32_t)malloc_usable_size(at);
    out[i][2] = (int32_t)((end - start) / 4096);
  }
  size_t bytes = n * sizeof out[0], done = 0;
  while (done < bytes) {
    ssize_t put = write(1, (char *)out + done, bytes - done);
    if (put <= 0) return 1;
    done += (size_t)put;
  }
  return 0;
}
