import Synchronization
import Testing

@testable import mockup_console

@Suite struct SessionsTests {
  @Test func `a session ends after its lifetime`() throws {
    let start = ContinuousClock.now
    let elapsed = Mutex(Duration.zero)
    let sessions = Sessions { start + elapsed.withLock { $0 } }
    let id = try #require(sessions.start(with: sessions.makeToken()))
    elapsed.withLock { $0 = Sessions.lifetime - .seconds(1) }
    #expect(sessions.session(id) != nil)
    elapsed.withLock { $0 = Sessions.lifetime }
    #expect(sessions.session(id) == nil)
  }

  @Test func `a token works once, and only the newest`() throws {
    let sessions = Sessions()
    #expect(sessions.start(with: "") == nil)
    let first = sessions.makeToken()
    let second = sessions.makeToken()
    #expect(sessions.start(with: first) == nil)
    let id = try #require(sessions.start(with: second))
    #expect(sessions.start(with: second) == nil)
    #expect(sessions.session(id)?.formToken.count == 64)
    #expect(sessions.session(String(id.reversed())) == nil)
  }

  @Test func `secrets differ, and are compared as a whole`() {
    #expect(Secret.make() != Secret.make())
    #expect(Secret.make().count == 64)
    #expect(Secret.areEqual("abc", "abc"))
    for other in ["abd", "ab", "abcd", ""] { #expect(!Secret.areEqual("abc", other)) }
  }
}
