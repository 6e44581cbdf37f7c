/// Names and labels in Prometheus' alphabet.
///
/// See <https://prometheus.io/docs/concepts/data_model/>.
enum Name {
  /// The nearest name of a metric: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
  static func metric(_ label: String) -> String {
    sanitized(label, allowing: ":")
  }

  /// The nearest name of a label: `[a-zA-Z_][a-zA-Z0-9_]*`, but not `__…`, which is Prometheus' own.
  static func label(_ name: String) -> String {
    let name = sanitized(name, allowing: nil)
    guard name.hasPrefix("__") else { return name }
    return "_" + name.drop { $0 == "_" }
  }

  /// Dimensions as they stand between braces: sorted, so that their order makes no difference.
  ///
  /// Where two have one name, the last one counts.
  ///
  /// - Parameter reserved: a name that a dimension may not have; it becomes `exported_…`, as where
  ///   Prometheus itself meets such a label.
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
