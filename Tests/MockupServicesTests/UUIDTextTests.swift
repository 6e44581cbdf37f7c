import Foundation
import MockupAPI
import TestSupport
import Testing

/// The text form of ids in requests and responses.
@Suite struct UUIDTextTests {
  private static let hyphens = [8, 13, 18, 23]

  @Test func `each id has Foundation's text in lower case, and is read in both cases`() {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<1000 {
      let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let id = unsafe bytes.withUnsafeBytes { unsafe UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
      #expect(id.wireText == id.uuidString.lowercased())
      #expect(UUID(wireText: id.wireText) == id)
      #expect(UUID(wireText: id.uuidString) == id)
    }
  }

  @Test func `only digits and hyphens are accepted, each in its place`() {
    let text = Array("01234567-89ab-CDEF-0123-456789abcdef".unicodeScalars)
    for position in text.indices {
      for character in (0...0x7ff).compactMap(Unicode.Scalar.init) {
        var changed = text
        changed[position] = character
        let isValid =
          Self.hyphens.contains(position)
          ? character == "-" : character.isASCII && Character(character).isHexDigit
        let id = UUID(wireText: String(String.UnicodeScalarView(changed)))
        #expect((id != nil) == isValid, "\(position), \(character)")
        // A character of two bytes in place of two.
        if !character.isASCII, position < text.count - 1 {
          changed.remove(at: position + 1)
          #expect(UUID(wireText: String(String.UnicodeScalarView(changed))) == nil)
        }
      }
    }
  }

  @Test(arguments: ["", "0", "0123456789abcdef0123456789abcdef"])
  func `a text of another length is refused`(_ text: String) {
    #expect(UUID(wireText: text) == nil)
    #expect(UUID(wireText: "01234567-89ab-cdef-0123-456789abcdef0" + text) == nil)
    #expect(UUID(wireText: "01234567-89ab-cdef-0123-456789abcde") == nil)
  }
}
