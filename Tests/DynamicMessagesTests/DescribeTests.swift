import DynamicMessages
import TestSupport
import Testing

@Suite struct DescribeTests {
  @Test func withoutANameTheServicesAndTheirMethodsAreListed() throws {
    #expect(
      try Protoc.schema().describe() == """
        dynamic.test.Echo
          rpc Once(dynamic.test.Rich) returns (dynamic.test.Scalars)
          rpc Down(dynamic.test.Rich) returns (stream dynamic.test.Scalars)
          rpc Up(stream dynamic.test.Rich) returns (dynamic.test.Scalars)
          rpc Both(stream dynamic.test.Rich) returns (stream dynamic.test.Known)

        """)
  }

  static let descriptions: [(name: String, text: String)] = [
    (
      "Echo",
      """
      // dynamic.test.Echo, of dynamic.proto
      // Does things.
      service Echo {
        // Answers once.
        rpc Once(dynamic.test.Rich) returns (dynamic.test.Scalars) {
          option idempotency_level = IDEMPOTENT;
        }
        rpc Down(dynamic.test.Rich) returns (stream dynamic.test.Scalars);
        rpc Up(stream dynamic.test.Rich) returns (dynamic.test.Scalars);
        rpc Both(stream dynamic.test.Rich) returns (stream dynamic.test.Known);
      }

      """
    ),
    (
      "dynamic.test.Echo/Down",
      """
      // dynamic.test.Echo.Down, of dynamic.proto
      rpc Down(dynamic.test.Rich) returns (stream dynamic.test.Scalars);

      """
    ),
    (
      "Colour",
      """
      // dynamic.test.Colour, of dynamic.proto
      // A colour.
      enum Colour {
        NONE = 0;
        // The colour of fire.
        RED = 1;
        BLUE = 2;
        BELOW = -3;
      }

      """
    ),
    (
      "Rich",
      """
      // dynamic.test.Rich, of dynamic.proto
      // All that is not
      // a plain scalar.
      message Rich {
        reserved 90, 95 to 97;
        reserved "old", "older";
        repeated int32 numbers = 1;
        repeated int32 unpacked = 2 [packed = false];
        repeated string names = 3;
        repeated dynamic.test.Rich.Point points = 4;
        repeated dynamic.test.Colour colours = 5;
        repeated double doubles = 6;
        map<string, int32> counts = 7;
        map<int64, dynamic.test.Rich.Point> places = 8;
        map<bool, dynamic.test.Colour> flags = 9;
        // Perhaps.
        optional int32 maybe = 10;
        // One of two.
        oneof choice {
          // A name.
          string name = 11;
          dynamic.test.Rich.Point place = 12;
          uint64 big = 13;
          google.protobuf.NullValue nothing = 14;
        }
        dynamic.test.Rich child = 15;
        dynamic.test.Scalars scalars = 16;
        string renamed_field = 17 [json_name = "other"];
        dynamic.test.Colour colour = 18;
        int32 gone = 19 [deprecated = true];

        // A place.
        message Point {
          sint32 x = 1;
          int32 y = 2;
        }
      }

      """
    ),
    (
      "Old.Pair",
      """
      // dynamic.old.Old.Pair, of old.proto
      message Pair {
        optional int32 left = 1;
        optional dynamic.old.Old inner = 2;
      }

      """
    ),
  ]

  @Test(arguments: descriptions)
  func whatIsDescribedIsProtoTextWithComments(_ item: (name: String, text: String)) throws {
    #expect(try Protoc.schema().describe(item.name) == item.text)
  }

  @Test func aProto2FieldShowsItsLabelAndDefault() throws {
    let text = try Protoc.schema().describe("dynamic.old.Old")
    #expect(text.contains("  required int32 id = 1;\n"))
    #expect(text.contains(#"  optional string text = 2 [default = "none"];"# + "\n"))
    #expect(text.contains("  optional dynamic.old.Old.Size size = 3 [default = LARGE];\n"))
    #expect(text.contains("  repeated group dynamic.old.Old.Item item = 7;\n"))
  }

  @Test func whatIsNotThereIsAnErrorWithTheNearest() throws {
    let schema = try Protoc.schema()
    let error = #expect(throws: DynamicMessageError.self) { try schema.describe("Colur") }
    #expect(
      error?.description
        == "there is no service, method or type Colur; did you mean dynamic.test.Colour?")
  }

  @Test func aNameCannotCommandATerminal() throws {
    let schema = try Schema(files: [
      Descriptor.file(messages: [
        Descriptor.message("M", [Descriptor.field("a\u{1b}[2J\nb", 1, type: 5)])
      ])
    ])
    #expect(try schema.describe("M").contains(#"int32 a\u{1b}[2J\nb = 1;"#))
  }

  /// Repeat a failure with `SCHEMA_TEST_SEED=<seed>`.
  @Test func damagedDescriptorsNeverTrap() throws {
    var random = SeededGenerator(printingSeedOf: "SCHEMA_TEST_SEED")
    let original = try Protoc.descriptorSet.get()
    for _ in 0..<100 {
      var bytes = original
      for _ in 0...Int.random(in: 0...3, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
      }
      guard let schema = try? Schema(fileDescriptorSet: bytes) else { continue }
      _ = try? schema.describe()
      for name in ["dynamic.test.Rich", "dynamic.test.Echo", "dynamic.test.Colour"] {
        _ = try? schema.describe(name)
        _ = try? schema.message(name).json(fromBinary: [0x0A, 0x01, 0x01, 0x22, 0x00, 0x3A, 0x00])
        _ = try? schema.message(name).binary(
          fromJSON: #"{"numbers":[1],"points":[{}],"counts":{"a":1}}"#)
      }
    }
  }
}
