/// Conversions from labels and dimensions of swift-metrics to names and labels of Prometheus.
///
/// Source: <https://prometheus.io/docs/concepts/data_model/>.
enum Name {
  /// Returns a valid metric name for a label: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
  static func metric(_ label: String) -> String {
    sanitized(label, allowing: ":")
  }

  /// Returns a valid label name for a dimension: `[a-zA-Z_][a-zA-Z0-9_]*`.
  ///
  /// Names that begin with `__` are reserved for Prometheus, so leading underscores are reduced to
  /// one.
  static func label(_ name: String) -> String {
    let name = sanitized(name, allowing: nil)
    guard name.hasPrefix("__") else { return name }
    return "_" + name.drop { $0 == "_" }
  }

  /// Formats dimensions as labels between braces, sorted, so that their order makes no difference.
  ///
  /// If two dimensions have the same name, the last one is used.
  ///
  /// - Parameter reserved: A name that no dimension may have. A dimension with this name becomes
  ///   `exported_…`, as Prometheus does with conflicting labels.
  static func labels(_ dimensions: [(String, String)], reserving reserved: String?) -> String {
    var values: [String: String] = [:]
    for (name, value) in dimensions {
      let name = label(name)
      values[name == reserved ? "exported_" + name : name] = value
    }
    return values.sorted { $0.key < $1.key }
      .map { #"\#($0.key)="\#(escaped($0.value))""# }
      .joined(separator: ",")
  }

  private static func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": text += #"\\"#
      case "\"": text += #"\""#
      case "\n": text += #"\n"#
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  private static func sanitized(_ text: String, allowing extra: Unicode.Scalar?) -> String {
    var name = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "_", extra:
        name.unicodeScalars.append(scalar)
      case "0"..."9":
        if name.isEmpty { name = "_" }
        name.unicodeScalars.append(scalar)
      default:
        name += "_"
      }
    }
    return name.isEmpty ? "_" : name
  }
}
