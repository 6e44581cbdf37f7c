import Testing

@testable import load

@Suite struct PerformanceBatchesTests {
  @Test func `batches cycle through all mockups, each batch with its own id`() throws {
    var batches = PerformanceBatches(size: 4, mockups: 3, users: 2, seed: 1)
    var ids: Set<String> = []
    var mockups: [String] = []
    for _ in 0..<5 {
      let length = batches.frameLength
      let frame = unsafe written(length) { unsafe batches.writeNext(to: $0, streamID: 1) }
      #expect(
        Array(frame[..<10])
          == FrameHeader(
            length: UInt32(length - 10), streamID: 1, kind: 3
          ).bytes)
      let request = try #require(fields(Array(frame.dropFirst(10))))
      #expect(request.map(\.number) == [1, 2, 2, 2, 2])
      ids.insert(request[0].text)
      for field in request.dropFirst() {
        let entry = try #require(fields(field.bytes))
        mockups.append(entry[1].text)
        let mockup = try #require(UInt32(entry[1].text.suffix(12), radix: 16))
        #expect(entry[0].text == Identifiers.user(mockup % 2))
        #expect(Array(entry[2...]) == [Field(number: 3, value: 1), Field(number: 4, value: 3)])
      }
    }
    #expect(ids.count == 5)
    #expect(mockups == (0..<20).map { Identifiers.mockup($0 % 3) })
  }
}
