import FoundationEssentials
import Testing

@testable import MockupServices

@Suite struct WatchersTests {
  @Test func `a watcher starts awake and is woken for its subject only`() async throws {
    let watchers = Watchers()
    let user = Watchers.Subject.mockups(of: UUID())
    let watch = watchers.watch(user)
    var wakes = watch.wakes.makeAsyncIterator()
    #expect(await wakes.next() != nil)
    watchers.wake(.mockups(of: UUID()))
    watchers.wake(.alerts)
    watchers.wake(user)
    watchers.wake(user)
    #expect(await wakes.next() != nil)
    watchers.forget(watch)
    #expect(watchers.count == 0)
    // The two wakes of the user were coalesced, and the others did not reach this watch.
    #expect(await wakes.next() == nil)
  }

  @Test func `waking every part in turn wakes each watcher once`() async throws {
    let watchers = Watchers()
    let watches = (0..<50).map { _ in watchers.watch(.mockups(of: UUID())) }
    for watch in watches {
      var wakes = watch.wakes.makeAsyncIterator()
      #expect(await wakes.next() != nil)
    }
    for part in 0..<7 { watchers.wake(part: part, of: 7) }
    for watch in watches { watchers.forget(watch) }
    for watch in watches {
      var count = 0
      for await _ in watch.wakes { count += 1 }
      #expect(count == 1)
    }
  }
}
