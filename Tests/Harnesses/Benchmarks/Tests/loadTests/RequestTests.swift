import Testing

@testable import load

@Suite struct RequestTests {
  @Test func `eight hex digits converted together equal the digits converted one by one`() {
    var numbers = RandomNumbers(seed: 1)
    let some = (0..<1000).map { _ in UInt32(truncatingIfNeeded: numbers.next()) }
    for number in [0, 1, 9, 10, 15, 16, 0x0123_4567, 0x89ab_cdef, .max] + some {
      let digits = String(number, radix: 16)
      let text = unsafe written(8) {
        unsafe $0.storeBytes(of: HexDigits.text(of: number), as: UInt64.self)
      }
      #expect(
        String(decoding: text, as: UTF8.self)
          == String(repeating: "0", count: 8 - digits.count) + digits)
    }
  }

  @Test func `reservation ids are UUIDs of version 4 and follow from the seed`() {
    var numbers = RandomNumbers(seed: 7)
    let texts = (0..<1000).map { _ in text(RandomUUID(using: &numbers)) }
    let shape = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
    #expect(texts.allSatisfy { $0.wholeMatch(of: shape) != nil })
    #expect(Set(texts).count == texts.count)
    var again = RandomNumbers(seed: 7)
    #expect(texts.first == text(RandomUUID(using: &again)))
  }

  @Test func `users are drawn with equal probability`() {
    var numbers = RandomNumbers(seed: 3)
    var counts = [Int](repeating: 0, count: 10)
    for _ in 0..<100_000 { counts[Int(numbers.next(below: 10))] += 1 }
    #expect(counts.allSatisfy { (9_000...11_000).contains($0) })
    #expect(numbers.next(below: 1) == 0)
  }

  @Test func `users and mockups have their number in the last twelve digits`() {
    #expect(Identifiers.user(0) == "00000000-0000-4000-8000-000000000000")
    #expect(Identifiers.user(999) == "00000000-0000-4000-8000-0000000003e7")
    #expect(Identifiers.mockup(16) == "00000000-0000-4000-9000-000000000010")
  }

  @Test func `a health check has a payload of 64 bytes, with the service first`() throws {
    let (header, envelope) = try frame(.health, Call(streamID: 9))
    #expect(header == [0, 0, 0, UInt8(envelope.length), 0, 0, 0, 9, 1, 0])
    #expect(envelope.fields[0].text == "grpc.health.v1.Health")
    #expect(envelope.fields[1].text == "Check")
    #expect(envelope.fields[2].bytes.count == 64)
    let payload = try #require(fields(envelope.fields[2].bytes))
    #expect(payload[0].text == "mockups.v1.CreditService")
    #expect(payload[1].number == 1000)
  }

  @Test func `a call writes its ids into its frame and changes nothing else`() throws {
    var numbers = RandomNumbers(seed: 5)
    let reservation = RandomUUID(using: &numbers)
    let call = Call(streamID: 0x0001_0203, user: 999, reservation: reservation)

    let (header, envelope) = try frame(.reserveCredits, call)
    #expect(Array(header[4...]) == [0, 1, 2, 3, 1, 0])
    #expect(envelope.fields[1].text == "ReserveCredits")
    #expect(
      fields(envelope.fields[2].bytes) == [
        Field(number: 1, bytes: Array(Identifiers.user(999).utf8)), Field(number: 2, value: 1),
        Field(number: 3, bytes: Array(text(reservation).utf8)), Field(number: 4, value: 1),
      ])

    let commit = try frame(.commitReservation, call).envelope
    #expect(
      fields(commit.fields[2].bytes)?.map(\.text) == [Identifiers.user(999), text(reservation)])
    let usage = try frame(.getCreditUsage, call).envelope
    #expect(fields(usage.fields[2].bytes)?.map(\.text) == [Identifiers.user(999)])
  }

  private func text(_ id: RandomUUID) -> String {
    let bytes = unsafe written(RandomUUID.textLength) { unsafe id.write(to: $0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func frame(
    _ request: Request, _ call: Call
  ) throws -> (header: [UInt8], envelope: (length: Int, fields: [Field])) {
    let template = RequestTemplate(ttrpc: request)
    let bytes = unsafe written(template.length) { unsafe template.write(to: $0, call) }
    let body = Array(bytes.dropFirst(FrameHeader.size))
    return (Array(bytes.prefix(FrameHeader.size)), (body.count, try #require(fields(body))))
  }
}
