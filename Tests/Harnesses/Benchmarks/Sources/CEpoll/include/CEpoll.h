// epoll(7), which Swift's Glibc module does not import.
#ifndef CEPOLL_H
#define CEPOLL_H

#include <stdbool.h>
#include <stdint.h>

/// A descriptor that is readable (or at its end), writable, or both.
struct cepoll_event {
  /// The token that cepoll_watch was given.
  uint32_t token;
  bool readable;
  bool writable;
};

/// Opens an epoll instance with close-on-exec. Returns the descriptor, or a negated errno.
int cepoll_open(void);

/// Watches a descriptor for reading, and with for_writing also for writing; is_new adds it,
/// otherwise it is changed. Returns 0, or an errno.
int cepoll_watch(int epoll, int descriptor, uint32_t token, bool for_writing, bool is_new);

/// Waits for at most 64 events, and at most for a time (a negative one means 0). Returns the number
/// of events (0 also after a signal), or a negated errno.
int cepoll_wait(int epoll, struct cepoll_event *events, int64_t nanoseconds);

/// Sets the timer slack of the calling thread to 1 ns: by default a wait can last 50 us longer.
void cepoll_wait_precisely(void);

#endif
