/// Descriptors byte by byte, also such as protoc would not write.
enum Descriptor {
  static func file(
    package: String = "x", messages: [[UInt8]] = [], services: [[UInt8]] = [],
    name: String = "x.proto"
  ) -> [UInt8] {
    text(1, name) + text(2, package) + messages.flatMap { record(4, $0) }
      + services.flatMap { record(6, $0) } + text(12, "proto3")
  }

  static func message(_ name: String, _ fields: [[UInt8]], isMapEntry: Bool = false) -> [UInt8] {
    text(1, name) + fields.flatMap { record(2, $0) }
      + (isMapEntry ? record(7, number(7, 1)) : [])
  }

  static func field(
    _ name: String, _ number: Int, type: Int, _ typeName: String = "", oneof: Int? = nil
  ) -> [UInt8] {
    text(1, name) + self.number(3, number) + self.number(4, 1) + self.number(5, type)
      + (typeName.isEmpty ? [] : text(6, typeName)) + (oneof.map { self.number(9, $0) } ?? [])
  }

  static func service(
    _ name: String, method: String, _ input: String, _ output: String
  ) -> [UInt8] {
    text(1, name) + record(2, text(1, method) + text(2, input) + text(3, output))
  }

  private static func text(_ field: Int, _ text: String) -> [UInt8] {
    record(field, Array(text.utf8))
  }

  private static func number(_ field: Int, _ value: Int) -> [UInt8] {
    varint(field << 3) + varint(value)
  }

  private static func record(_ field: Int, _ content: [UInt8]) -> [UInt8] {
    varint(field << 3 | 2) + varint(content.count) + content
  }

  private static func varint(_ value: Int) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
  }
}
