import Foundation
import Testing
import VisibleText

@Suite struct VisibleTextTests {
  @Test(arguments: [
    ("plain text, UTF-8: für 東京", "plain text, UTF-8: für 東京"),
    ("\u{1b}[2J\u{1b}]0;title\u{7}", #"\u{1b}[2J\u{1b}]0;title\u{7}"#),
    ("a\nb\r\nc\td\0", #"a\nb\r\nc\td\u{0}"#),
    ("\u{7f}\u{85}\u{9b}31m", #"\u{7f}\u{85}\u{9b}31m"#),
    ("\u{2028}\u{2029}", #"\u{2028}\u{2029}"#),
    ("\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}", #"\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}"#),
    (
      "\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{61c}",
      #"\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{61c}"#
    ),
    ("\u{feff}a\u{ad}\u{200b}\u{e0001}", #"\u{feff}a\u{ad}\u{200b}\u{e0001}"#),
    // Joiners are kept, since emoji sequences and Persian words need them.
    ("👩\u{200d}👧 می\u{200c}خواهم", "👩\u{200d}👧 می\u{200c}خواهم"),
    (#"C:\new"#, #"C:\new"#),
  ])
  func `hidden characters are escaped`(_ text: String, _ visible: String) {
    #expect(text.visible() == visible)
  }

  @Test func `kept characters are not escaped, even within one grapheme cluster`() {
    #expect("a\nb\r\n\u{1b}".visible(keeping: ["\n"]) == "a\nb\\r\n\\u{1b}")
  }

  @Test func `a JSON literal has no hidden characters and decodes to the same text`() throws {
    let text = String(
      String.UnicodeScalarView(
        ((0...0x2FF).map { $0 } + [0x2028, 0x202E, 0x2069, 0xFEFF, 0xE0001, 0x1F600])
          .compactMap { Unicode.Scalar($0 as UInt32) }))
    let literal = text.jsonLiteral
    #expect(literal.visible() == literal)
    #expect(literal.contains(#"\u202e"#) && literal.contains(#"\udb40\udc01"#))
    #expect(try JSONDecoder().decode([String].self, from: Data("[\(literal)]".utf8)) == [text])
  }
}
