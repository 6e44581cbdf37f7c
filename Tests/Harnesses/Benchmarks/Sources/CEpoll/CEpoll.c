#define _GNU_SOURCE
#include "CEpoll.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

enum { capacity = 64 };

int cepoll_open(void) {
  int descriptor = epoll_create1(EPOLL_CLOEXEC);
  return descriptor >= 0 ? descriptor : -errno;
}

int cepoll_watch(int epoll, int descriptor, uint32_t token, bool for_writing, bool is_new) {
  struct epoll_event event = {.events = EPOLLIN | (for_writing ? EPOLLOUT : 0), .data.u32 = token};
  int operation = is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  return epoll_ctl(epoll, operation, descriptor, &event) == 0 ? 0 : errno;
}

int cepoll_wait(int epoll, struct cepoll_event *events, int64_t nanoseconds) {
  struct epoll_event ready[capacity];
  if (nanoseconds < 0) nanoseconds = 0;
  struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  int count = epoll_pwait2(epoll, ready, capacity, &limit, NULL);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < count; i++) {
    events[i].token = ready[i].data.u32;
    events[i].readable = (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
    events[i].writable = (ready[i].events & EPOLLOUT) != 0;
  }
  return count;
}

void cepoll_wait_precisely(void) { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }
