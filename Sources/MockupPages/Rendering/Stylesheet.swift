/// The stylesheet of all pages.
public enum Stylesheet {
  /// The text of the stylesheet.
  public static var text: String { Templates.stylesheet }

  /// The hash of the text (FNV-1a, 64 bits), which changes whenever the text does.
  public static let hash: String = {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
  }()

  /// The path under which the console serves the stylesheet, with its hash.
  public static let path = "/style-\(hash).css"
}
