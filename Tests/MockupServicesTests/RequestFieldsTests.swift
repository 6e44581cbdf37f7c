import TTRPC
import Testing

@testable import MockupServices

@Suite struct RequestFieldsTests {
  @Test(
    arguments: [(0, 100), (1, 1), (1000, 1000), (1001, 1000), (.max, 1000)] as [(Int32, Int32)])
  func `a page has the requested size, up to the maximum`(
    _ requested: Int32, _ size: Int32
  ) throws {
    #expect(try RequestFields.pageSize(requested, "page_size") == size)
  }

  @Test func `a negative page size is refused`() {
    #expect { _ = try RequestFields.pageSize(-1, "page_size") } throws: { error in
      (error as? RPCError)?.code == .invalidArgument
    }
  }
}
