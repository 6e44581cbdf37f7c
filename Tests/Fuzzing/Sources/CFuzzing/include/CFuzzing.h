#pragma once

#include <stddef.h>
#include <stdint.h>

// Takes the concurrency runtime's jobs off its threads: from now on they wait here until they are run,
// so that the same input takes the same way each time.
void cfuzzing_take_over_jobs(void);

// How many wait.
size_t cfuzzing_waiting_jobs(void);

// Runs the one at this place of those that wait, 0 being the oldest.
void cfuzzing_run_job(size_t place);

// libFuzzer's own: runs a function on one input after the other. Returns the program's exit status.
int LLVMFuzzerRunDriver(
    int *argument_count, char ***arguments, int (*run)(const uint8_t *bytes, size_t count));

// libFuzzer's own: changes bytes at random. Returns how many there are then.
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t count, size_t capacity);
