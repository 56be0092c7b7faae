/*
 * A program that allocates at a steady pace, for `fraglab bench --recorder`: load PAIRS WORK THREADS.
 *
 * Each thread keeps 1024 blocks. A pair frees one of them, whose bytes it reads first, and allocates another of 16 to
 * 271 bytes, which it fills; WORK rounds of arithmetic follow, by which the pace is set. Prints one JSON object: the
 * nanoseconds of wall time, user and system time that the process took for all pairs.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define LIVE 1024
#define MOST_THREADS 64

struct share {
  uint64_t pairs, work, seed, sum;
};

static uint64_t next(uint64_t *state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

static void *run(void *given) {
  struct share *share = given;
  unsigned char *blocks[LIVE] = {0};
  uint32_t sizes[LIVE] = {0};
  uint64_t random = share->seed, sum = 0;
  for (uint64_t pair = 0; pair < share->pairs; pair++) {
    uint64_t x = next(&random);
    unsigned at = x % LIVE;
    for (uint32_t i = 0; i < sizes[at]; i += 16) sum += blocks[at][i];
    free(blocks[at]);
    sizes[at] = 16 + (uint32_t)(x >> 32) % 256;
    blocks[at] = malloc(sizes[at]);
    if (blocks[at] == NULL) abort();
    memset(blocks[at], (int)(x >> 24), sizes[at]);
    for (uint64_t i = 0; i < share->work; i++) sum += next(&random);
  }
  for (unsigned at = 0; at < LIVE; at++) free(blocks[at]);
  share->sum = sum;
  return NULL;
}

static uint64_t wall(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t nanoseconds(struct timeval time) { return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000; }

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  uint64_t pairs = strtoull(argv[1], NULL, 10), work = strtoull(argv[2], NULL, 10), threads = strtoull(argv[3], NULL, 10);
  if (threads < 1 || threads > MOST_THREADS) return 2;
  struct share shares[MOST_THREADS];
  pthread_t ids[MOST_THREADS];
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  uint64_t start = wall(), sum = 0;
  for (uint64_t i = 0; i < threads; i++) {
    shares[i] = (struct share){pairs / threads, work, 88172645463325252 + i, 0};
    if (i > 0 && pthread_create(&ids[i], NULL, run, &shares[i]) != 0) return 1;
  }
  run(&shares[0]);
  for (uint64_t i = 1; i < threads; i++) pthread_join(ids[i], NULL);
  for (uint64_t i = 0; i < threads; i++) sum += shares[i].sum;
  uint64_t took = wall() - start;
  getrusage(RUSAGE_SELF, &after);
  printf("{\"wall\":%llu,\"user\":%llu,\"system\":%llu,\"sum\":%llu}\n", (unsigned long long)took,
         (unsigned long long)(nanoseconds(after.ru_utime) - nanoseconds(before.ru_utime)),
         (unsigned long long)(nanoseconds(after.ru_stime) - nanoseconds(before.ru_stime)), (unsigned long long)(sum & 0xffffffff));
  return 0;
}
