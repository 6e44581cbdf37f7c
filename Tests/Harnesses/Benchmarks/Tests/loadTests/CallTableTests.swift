import Testing

@testable import load

@Suite struct CallTableTests {
  @Test func `ids are odd and rise in any order of answers`() throws {
    var table = CallTable(capacity: 16)
    var numbers = RandomNumbers(seed: 2)
    var waiting: [UInt32] = []
    var last: UInt32 = 0
    for started in 1...10_000 {
      if waiting.count == 16 {
        let id = waiting.remove(at: Int(numbers.next(below: 16)))
        #expect(table.close(id)?.streamID == id)
      }
      var call = Call(started: UInt64(started))
      try table.open(&call)
      #expect(call.streamID % 2 == 1 && call.streamID > last)
      last = call.streamID
      waiting.append(call.streamID)
      #expect(table.count == waiting.count)
    }
  }

  @Test func `a slow call does not delay other calls`() throws {
    var table = CallTable(capacity: 2)
    var slow = Call(user: 42)
    try table.open(&slow)
    for _ in 0..<100 {
      var quick = Call()
      try table.open(&quick)
      #expect(table.close(quick.streamID) != nil)
    }
    #expect(table.close(slow.streamID)?.user == 42)
    #expect(table.count == 0)
  }

  @Test func `an answer to an unknown or finished call is recognized`() throws {
    var table = CallTable(capacity: 4)
    var call = Call()
    try table.open(&call)
    #expect(table.close(0) == nil)
    #expect(table.close(call.streamID + 2) == nil)
    #expect(table.close(call.streamID) != nil)
    #expect(table.close(call.streamID) == nil)
  }
}
