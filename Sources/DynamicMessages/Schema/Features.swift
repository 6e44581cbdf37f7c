internal import SwiftProtobuf

/// The features of a file by its syntax or edition, and by its options.
///
/// See <https://protobuf.dev/editions/features/>.
struct Features {
  private var isPresenceImplicit: Bool
  private var isLegacyRequired = false
  private var isPacked: Bool
  private var isDelimited = false
  private(set) var isEnumClosed: Bool

  init(_ file: Google_Protobuf_FileDescriptorProto) {
    let isProto2 = file.syntax.isEmpty || file.syntax == "proto2"
    isPresenceImplicit = file.syntax == "proto3"
    isPacked = !isProto2
    isEnumClosed = isProto2
    if file.options.hasFeatures { apply(file.options.features) }
  }

  func applying(_ features: Google_Protobuf_FeatureSet?) -> Features {
    guard let features else { return self }
    var changed = self
    changed.apply(features)
    return changed
  }

  private mutating func apply(_ features: Google_Protobuf_FeatureSet) {
    if features.hasFieldPresence {
      isPresenceImplicit = features.fieldPresence == .implicit
      isLegacyRequired = features.fieldPresence == .legacyRequired
    }
    if features.hasRepeatedFieldEncoding { isPacked = features.repeatedFieldEncoding == .packed }
    if features.hasMessageEncoding { isDelimited = features.messageEncoding == .delimited }
    if features.hasEnumType { isEnumClosed = features.enumType == .closed }
  }

  func isPacked(_ field: Google_Protobuf_FieldDescriptorProto) -> Bool {
    field.options.hasPacked ? field.options.packed : isPacked
  }

  func isRequired(_ field: Google_Protobuf_FieldDescriptorProto) -> Bool {
    field.label == .required || isLegacyRequired
  }

  func isGroup(_ field: Google_Protobuf_FieldDescriptorProto) -> Bool {
    field.type == .group || field.type == .message && isDelimited
  }

  func hasPresence(_ field: Google_Protobuf_FieldDescriptorProto) -> Bool {
    field.label != .repeated
      && (field.type == .message || field.type == .group || field.hasOneofIndex
        || !isPresenceImplicit)
  }
}
