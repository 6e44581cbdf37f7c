#pragma once

#include <stddef.h>
#include <stdint.h>

// Redirects the jobs of Swift's concurrency runtime from its threads: from now on they wait until
// cfuzzing_run_job runs them, so that an input has the same effect each time.
void cfuzzing_take_over_jobs(void);

// Returns the number of waiting jobs.
size_t cfuzzing_waiting_jobs(void);

// Runs the waiting job at a place; 0 is the oldest.
void cfuzzing_run_job(size_t place);

// Declared by libFuzzer: runs a function on one input after the other. Returns the exit status.
int LLVMFuzzerRunDriver(
    int *argument_count, char ***arguments, int (*run)(const uint8_t *bytes, size_t count));

// Declared by libFuzzer: changes bytes at random. Returns their new number.
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t count, size_t capacity);
