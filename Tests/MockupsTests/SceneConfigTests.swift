import Mockups
import Testing

@Suite struct SceneConfigTests {
  @Test func theSystemsConfigurationsAreReadIntoValues() {
    let config = SceneConfig(
      json: #"{"smart_object": "artwork_frame", "default_size": {"width": 800, "height": 1000}}"#)
    #expect(config.smartObject == "artwork_frame")
    #expect(config.defaultSize == SceneConfig.Size(width: 800, height: 1000))
    #expect(config.position == nil && config.rotation == nil && config.scale == nil)
    #expect(config.other.isEmpty)
  }

  @Test func theSecondSpellingsAreReadAndTheFirstOnesWritten() {
    let config = SceneConfig(
      json: #"{"smart_object_name": "frame", "default_position": {"x": 1.5, "y": -2}}"#)
    #expect(config.smartObject == "frame")
    #expect(config.position == SceneConfig.Position(x: 1.5, y: -2))
    #expect(config.json == #"{"smart_object":"frame","position":{"x":1.5,"y":-2}}"#)
  }

  @Test func aSecondSpellingBesideTheFirstIsKeptNotRead() throws {
    let config = SceneConfig(json: #"{"smart_object": "a", "smart_object_name": "b"}"#)
    #expect(config.smartObject == "a")
    #expect(config.other["smart_object_name"] == #""b""#)
    // And may be sent back as it was read.
    let again = try SceneConfig(smartObject: config.smartObject, other: config.other)
    #expect(again == config)
  }

  static let untouched = [
    #"{"big":123456789012345678901234567890.123456789012345678901234567890}"#,
    #"{"far":1e400,"small":1E-400,"zero":-0.0}"#,
    #"{"a":{"b":[1,{"c":null}]},"t":true,"f":false}"#,
    #"{"text":"\ud83d\ude00 \u0041 \/ \\","":1}"#,
    #"{"rotation":"90deg","scale":null,"position":[1,2],"smart_object":7}"#,
    #"{"rotation":1e999,"default_size":{"width":1}}"#,
    #"{"default_size":{"width":1,"height":2,"unit":"cm"}}"#,
    #"{"default_size":{"width":"1","height":2},"smart_object":"\ud800"}"#,
    #"{"smart_object":"","smart_object_name":"x"}"#,
    "{\"\u{e9}\":1,\"e\u{301}\":2}",
  ]

  @Test(arguments: untouched)
  func whatIsNotKnownOrNotOfItsKindStaysAsItWas(json: String) throws {
    let config = SceneConfig(json: json)
    #expect(config.json.utf8.elementsEqual(json.utf8))
    #expect(config.other.members.count == JSONObject(text: json)?.members.count)
    #expect(try SceneConfig(other: config.other) == config)
  }

  @Test(arguments: ["", "null", "[1]", "7", "{", "nonsense"])
  func whatIsNoObjectIsReadAsOneWithoutMembers(json: String) {
    #expect(SceneConfig(json: json) == SceneConfig())
  }

  @Test(arguments: [
    ("smart_object", #""x""#), ("smart_object_name", #""x""#),
    ("default_size", #"{"width":1,"height":2}"#),
    ("position", #"{"x":1,"y":2}"#), ("default_position", #"{"x":1,"y":2}"#), ("rotation", "1"),
    ("scale", "1"),
  ])
  func aKeyWithAPlaceOfItsOwnIsRefusedAmongTheOthers(key: String, value: String) {
    var other = JSONObject()
    other[key] = value
    #expect(throws: SceneConfig.Violation.knownKey(key)) { try SceneConfig(other: other) }
  }

  @Test func aValueIsNotWrittenOverWhatStandsAmongTheOthers() {
    var other = JSONObject()
    other["scale"] = "null"
    #expect(throws: SceneConfig.Violation.knownKey("scale")) {
      try SceneConfig(scale: 2, other: other)
    }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func numbersAreFinite(number: Double) {
    #expect(throws: SceneConfig.Violation.notFinite("rotation")) {
      try SceneConfig(rotation: number)
    }
    #expect(throws: SceneConfig.Violation.notFinite("default_size")) {
      try SceneConfig(defaultSize: SceneConfig.Size(width: 1, height: number))
    }
  }

  @Test(arguments: [0.1, 1e300, 2.2250738585072014e-308, 1e15, 123456789.25, -7])
  func numbersComeBackAsTheyWere(number: Double) throws {
    let config = try SceneConfig(rotation: number)
    #expect(SceneConfig(json: config.json) == config)
  }

  @Test func aNewConfigurationKeepsWhatTheOldOneHadBesideTheKnownKeys() throws {
    let old = SceneConfig(
      json:
        #"{"smart_object":"a","smart_object_name":"b","rotation":"90deg","x":1,"y":2,"scale":3}"#)
    var other = JSONObject()
    other["y"] = "[3]"
    let new = try SceneConfig(rotation: 90, other: other)
    let merged = new.replacing(old)
    // Known keys are the new one's, and the second spelling does not become the first.
    #expect(merged.json == #"{"x":1,"y":[3],"rotation":90}"#)
  }
}
