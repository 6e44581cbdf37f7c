import Testing

@testable import MockupPages

@Suite struct PagePathTests {
  private static func links(_ path: PagePath, next: String) -> PageLinks? {
    PageLinks(path, nextToken: next) { "/list?page=\($0.text)" }
  }

  @Test func `a list of one page has no links`() {
    #expect(Self.links(PagePath(), next: "") == nil)
  }

  @Test func `links lead forward and back`() throws {
    let first = try #require(Self.links(PagePath(), next: "a"))
    #expect(first.first == nil && first.previous == nil && first.next == "/list?page=a")

    // The page before the second one is the first one.
    let second = try #require(Self.links(PagePath("a"), next: "b"))
    #expect(second.first == "/list?page=" && second.previous == nil)
    #expect(second.next == "/list?page=a~b")

    let last = try #require(Self.links(PagePath("a~b"), next: ""))
    #expect(last.first == "/list?page=" && last.previous == "/list?page=a" && last.next == nil)
    #expect(PagePath("a~b").token == "b")
  }

  @Test func `a long way forgets its beginning, but not the pages just before`() {
    var path = PagePath()
    for number in 1...100 { path = path.appending("\(number)") }
    #expect(path.token == "100")
    #expect(path.previous?.token == "99")
    #expect(path.text.split(separator: "~").count == PagePath.maximumCount)
    // An address that somebody has made longer is shortened, too.
    let text = (1...1000).map(String.init).joined(separator: "~")
    #expect(PagePath(text).token == "1000")
    #expect(PagePath(text).text.split(separator: "~").count == PagePath.maximumCount)
  }
}
