#include "CFuzzing.h"

#include <stdlib.h>
#include <string.h>

// Declared by the Swift runtime in swift/Runtime/Concurrency.h.
#define SWIFT __attribute__((swiftcall))

typedef struct {
  uintptr_t identity;
  uintptr_t implementation;
} executor_reference;

typedef SWIFT void (*enqueue_original)(void *job);

extern SWIFT void (*swift_task_enqueueGlobal_hook)(void *job, enqueue_original original);
extern SWIFT void swift_job_run(void *job, executor_reference executor);

// Not synchronized: a single thread makes jobs and runs them.
static void **waiting;
static size_t waiting_count;
static size_t waiting_capacity;

static SWIFT void enqueue(void *job, enqueue_original original) {
  (void)original;
  if (waiting_count == waiting_capacity) {
    waiting_capacity = waiting_capacity ? waiting_capacity * 2 : 64;
    waiting = realloc(waiting, waiting_capacity * sizeof *waiting);
    if (!waiting) abort();
  }
  waiting[waiting_count++] = job;
}

void cfuzzing_take_over_jobs(void) { swift_task_enqueueGlobal_hook = enqueue; }

size_t cfuzzing_waiting_jobs(void) { return waiting_count; }

void cfuzzing_run_job(size_t place) {
  if (place >= waiting_count) return;
  void *job = waiting[place];
  waiting_count -= 1;
  memmove(waiting + place, waiting + place + 1, (waiting_count - place) * sizeof *waiting);
  swift_job_run(job, (executor_reference){0, 0});
}
