/* A program that shapes its heap as it is told on standard input and says on standard output what mallinfo2
 * says of it. Commands, one a line:
 *   threads N     start N threads, each with some live and some freed chunks, and keep them
 *   churn N       N threads one after another that come, allocate and go
 *   fragment N    allocate N chunks of many sizes and free every second one
 *   fast N        free N chunks small enough for the fastbins, with the tcache full
 *   cache N       allocate and free N chunks of every size that a thread caches
 *   keep N        keep N more bytes
 *   map N         keep one block of N bytes, a mapping of its own
 *   trim          malloc_trim(0)
 *   stir          allocate and free without end in a thread of its own
 *   say           print "arena uordblks fordblks hblks hblkhd fsmblks"
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_FAST 100000

static pthread_barrier_t ready;

static void shape(unsigned seed, int keep) {
    void *chunks[400];
    for (int i = 0; i < 400; i++) chunks[i] = malloc(24 + rand_r(&seed) % 3000);
    for (int i = 0; i < 400; i += 2) free(chunks[i]);
    for (int i = 1; i < 400 && !keep; i += 2) free(chunks[i]);
}

static void *stays(void *number) {
    shape((unsigned)(size_t)number, 1);
    pthread_barrier_wait(&ready);
    for (;;) pause();
}

static void *goes(void *number) {
    shape((unsigned)(size_t)number, 1);
    return NULL;
}

static void *stirs(void *number) {
    for (;;) shape((unsigned)(size_t)number, 0);
}

int main(void) {
    char word[32];
    size_t n;
    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        n = 0;
        sscanf(line, "%31s %zu", word, &n);
        if (!strcmp(word, "threads")) {
            pthread_barrier_init(&ready, NULL, n + 1);
            for (size_t i = 0; i < n; i++) {
                pthread_t thread;
                pthread_create(&thread, NULL, stays, (void *)(i + 1));
            }
            pthread_barrier_wait(&ready);
            usleep(20000); /* all of them have reached pause */
        } else if (!strcmp(word, "churn")) {
            for (size_t i = 0; i < n; i++) {
                pthread_t thread;
                pthread_create(&thread, NULL, goes, (void *)(i + 1));
                pthread_join(thread, NULL);
            }
        } else if (!strcmp(word, "fragment")) {
            unsigned seed = 7;
            void **chunks = malloc(n * sizeof *chunks);
            for (size_t i = 0; i < n; i++) chunks[i] = malloc(16 + rand_r(&seed) % 5000);
            for (size_t i = 0; i < n; i += 2) free(chunks[i]);
            free(chunks);
        } else if (!strcmp(word, "fast")) {
            /* not on the heap: freeing a large block would empty the fastbins */
            static void *chunks[MOST_FAST];
            for (size_t i = 0; i < n && i < MOST_FAST; i++) chunks[i] = malloc(24 + 16 * (i % 5));
            for (size_t i = 0; i < n && i < MOST_FAST; i++) free(chunks[i]);
        } else if (!strcmp(word, "cache")) {
            for (size_t size = 24; size <= 1032; size += 16) {
                void *chunks[16];
                for (size_t i = 0; i < n && i < 16; i++) chunks[i] = malloc(size);
                for (size_t i = 0; i < n && i < 16; i++) free(chunks[i]);
            }
        } else if (!strcmp(word, "keep")) {
            for (size_t kept = 0; kept < n; kept += 1000) memset(malloc(1000), 1, 1000);
        } else if (!strcmp(word, "map")) {
            memset(malloc(n), 1, n);
        } else if (!strcmp(word, "trim")) {
            malloc_trim(0);
        } else if (!strcmp(word, "stir")) {
            pthread_t thread;
            pthread_create(&thread, NULL, stirs, (void *)1);
            usleep(50000);
        }
        struct mallinfo2 m = mallinfo2();
        /* write(2): printf would allocate its buffer between the count and the reading */
        char said[200];
        int length = snprintf(said, sizeof said, "%zu %zu %zu %zu %zu %zu\n", m.arena, m.uordblks, m.fordblks,
                              m.hblks, m.hblkhd, m.fsmblks);
        if (write(1, said, length) != length) return 1;
    }
    return 0;
}
