/// The way to a page of a list: the page tokens of the pages after the first one, up to that page.
///
/// A page token of the API leads forward only. An address with the tokens of the pages before leads
/// back, too, without a state in the console.
public struct PagePath: Sendable, Hashable {
  /// The maximum number of tokens, which limits the length of an address.
  static let maximumCount = 20
  /// The character between tokens in an address, which no token contains.
  private static let separator: Character = "~"

  /// The tokens, that of this page last; empty for the first page.
  private var tokens: [String]

  /// Creates the path to a page from its text in an address; an empty text is the first page.
  public init(_ text: String = "") {
    tokens = text.split(separator: Self.separator).suffix(Self.maximumCount).map(String.init)
  }

  /// The page token of the page; empty for the first page.
  public var token: String { tokens.last ?? "" }

  /// The path as a part of an address.
  var text: String { tokens.joined(separator: String(Self.separator)) }

  /// The path to the page before; `nil` if that is the first page or was too long ago.
  var previous: PagePath? {
    guard tokens.count > 1 else { return nil }
    var path = self
    path.tokens.removeLast()
    return path
  }

  /// Returns the path to the page after this one.
  func appending(_ token: String) -> PagePath {
    var path = self
    path.tokens = Array((tokens + [token]).suffix(Self.maximumCount))
    return path
  }
}

/// The links from a page of a list to others, for the template `pages`.
struct PageLinks {
  var first: String?
  var previous: String?
  var next: String?

  /// Creates the links; `nil` if the list has one page only.
  ///
  /// - Parameters:
  ///   - path: The path to the page.
  ///   - nextToken: The page token of the next page; empty on the last page.
  ///   - address: Returns the address of the page to which a path leads.
  init?(_ path: PagePath, nextToken: String, address: (PagePath) -> String) {
    guard !path.token.isEmpty || !nextToken.isEmpty else { return nil }
    first = path.token.isEmpty ? nil : address(PagePath())
    previous = path.previous.map(address)
    next = nextToken.isEmpty ? nil : address(path.appending(nextToken))
  }
}
