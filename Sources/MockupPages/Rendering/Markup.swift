internal import Mustache
internal import VisibleText

/// The escaping of text in HTML and SVG.
///
/// The library's own escaping compares characters (grapheme clusters). It leaves a quote that is
/// followed by a combining mark unescaped, which a browser reads as the end of an attribute. This
/// one compares Unicode scalars, as browsers do.
struct Markup: MustacheContentType {
  /// The name under which templates choose this escaping.
  static let contentType = "MARKUP"

  /// Returns the text with every character escaped that has a meaning in HTML.
  ///
  /// Control characters, and others that are not displayed, become visible escapes, so that the
  /// text cannot change the direction of the text around it.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.visible().unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  func escapeText(_ text: String) -> String { Self.escaped(text) }
}
