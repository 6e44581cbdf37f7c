// epoll(7), which Swift's Glibc module does not import.
#ifndef CEPOLL_H
#define CEPOLL_H

#include <stdbool.h>
#include <stdint.h>

/// A descriptor that can be read from (or is at its end), written to, or both.
struct cepoll_event {
  /// What the descriptor was watched under.
  uint32_t token;
  bool readable;
  bool writable;
};

/// Opens an epoll, close-on-exec. Returns the descriptor, or a negated errno.
int cepoll_open(void);

/// Watches a descriptor, or changes how it is watched. Always for reading. Returns 0, or an errno.
int cepoll_watch(int epoll, int descriptor, uint32_t token, bool for_writing, bool is_new);

/// Waits for one of the descriptors, at most so long (a negative time is taken as 0). At most 64 events
/// at a time. Returns how many there are (0 also after a signal), or a negated errno.
int cepoll_wait(int epoll, struct cepoll_event *events, int64_t nanoseconds);

/// Makes the calling thread's waits end when they should: by default they may last 50 us longer.
void cepoll_wait_precisely(void);

#endif
