import MockupCore
import Testing

@Suite struct SceneConfigTests {
  @Test func `the configuration of a system scene is parsed into values`() {
    let config = SceneConfig(
      json: #"{"smart_object": "artwork_frame", "default_size": {"width": 800, "height": 1000}}"#)
    #expect(config.smartObject == "artwork_frame")
    #expect(config.defaultSize == SceneConfig.Size(width: 800, height: 1000))
    #expect(config.position == nil && config.rotation == nil && config.scale == nil)
    #expect(config.other.isEmpty)
  }

  @Test func `alternative spellings are read, and the standard spellings are written`() {
    let config = SceneConfig(
      json: #"{"smart_object_name": "frame", "default_position": {"x": 1.5, "y": -2}}"#)
    #expect(config.smartObject == "frame")
    #expect(config.position == SceneConfig.Position(x: 1.5, y: -2))
    #expect(config.json == #"{"smart_object":"frame","position":{"x":1.5,"y":-2}}"#)
  }

  @Test func `an alternative spelling next to the standard one is kept and not read`() throws {
    let config = SceneConfig(json: #"{"smart_object": "a", "smart_object_name": "b"}"#)
    #expect(config.smartObject == "a")
    #expect(config.other["smart_object_name"] == #""b""#)
    // A client may send it back unchanged.
    let again = try SceneConfig(smartObject: config.smartObject, other: config.other)
    #expect(again == config)
  }

  @Test func `a change keeps the values that it does not name`() throws {
    let old = #"{"a":1,"smart_object":"frame","default_size":{"width":1,"height":2},"rotation":3}"#
    func other(_ text: String) throws -> JSONObject { try #require(JSONObject(text: text)) }
    let changes: [(old: String, change: SceneConfigChange, new: String)] = [
      (old, try SceneConfigChange(), old),
      (
        old, try SceneConfigChange(smartObject: "", position: .init(x: 4, y: 5)),
        #"{"a":1,"default_size":{"width":1,"height":2},"position":{"x":4,"y":5},"rotation":3}"#
      ),
      (
        old, try SceneConfigChange(other: other(#"{"a":2,"b":6}"#)),
        #"{"a":2,"b":6,"smart_object":"frame","default_size":{"width":1,"height":2},"rotation":3}"#
      ),
      // A value of another type takes the place of a property, and the other way round.
      (
        #"{"rotation":3}"#, try SceneConfigChange(other: other(#"{"rotation":"3deg"}"#)),
        #"{"rotation":"3deg"}"#
      ),
      (#"{"rotation":"3deg"}"#, try SceneConfigChange(rotation: 3), #"{"rotation":3}"#),
      (
        #"{"smart_object_name":"a","scale":2}"#, try SceneConfigChange(smartObject: "b"),
        #"{"smart_object":"b","scale":2}"#
      ),
    ]
    for (old, change, new) in changes {
      #expect(change.applied(to: SceneConfig(json: old)) == SceneConfig(json: new), "\(old)")
    }
  }

  @Test func `a change obeys the rules of a configuration`() {
    #expect(throws: SceneConfig.Violation.notFinite("scale")) {
      try SceneConfigChange(scale: .infinity)
    }
    #expect(throws: SceneConfig.Violation.knownKey("rotation")) {
      try SceneConfigChange(other: #require(JSONObject(text: #"{"rotation":1}"#)))
    }
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
  func `unknown keys and values of the wrong type are kept unchanged`(json: String) throws {
    let config = SceneConfig(json: json)
    #expect(config.json.utf8.elementsEqual(json.utf8))
    #expect(config.other.members.count == JSONObject(text: json)?.members.count)
    #expect(try SceneConfig(other: config.other) == config)
  }

  @Test(arguments: ["", "null", "[1]", "7", "{", "nonsense"])
  func `text that is not a JSON object is read as an empty configuration`(json: String) {
    #expect(SceneConfig(json: json) == SceneConfig())
  }

  @Test(arguments: [
    ("smart_object", #""x""#), ("smart_object_name", #""x""#),
    ("default_size", #"{"width":1,"height":2}"#),
    ("position", #"{"x":1,"y":2}"#), ("default_position", #"{"x":1,"y":2}"#), ("rotation", "1"),
    ("scale", "1"),
  ])
  func `a known key is refused among the other members`(key: String, value: String) {
    var other = JSONObject()
    other[key] = value
    #expect(throws: SceneConfig.Violation.knownKey(key)) { try SceneConfig(other: other) }
  }

  @Test func `a known key is refused among the other members if its value is also given`() {
    var other = JSONObject()
    other["scale"] = "null"
    #expect(throws: SceneConfig.Violation.knownKey("scale")) {
      try SceneConfig(scale: 2, other: other)
    }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func `numbers that are not finite are refused`(number: Double) {
    #expect(throws: SceneConfig.Violation.notFinite("rotation")) {
      try SceneConfig(rotation: number)
    }
    #expect(throws: SceneConfig.Violation.notFinite("default_size")) {
      try SceneConfig(defaultSize: SceneConfig.Size(width: 1, height: number))
    }
  }

  @Test(arguments: [0.1, 1e300, 2.2250738585072014e-308, 1e15, 123456789.25, -7])
  func `numbers survive a round trip`(number: Double) throws {
    let config = try SceneConfig(rotation: number)
    #expect(SceneConfig(json: config.json) == config)
  }

  @Test func `a new configuration keeps the unknown keys of the old one`() throws {
    let old = SceneConfig(
      json:
        #"{"smart_object":"a","smart_object_name":"b","rotation":"90deg","x":1,"y":2,"scale":3}"#)
    var other = JSONObject()
    other["y"] = "[3]"
    let new = try SceneConfig(rotation: 90, other: other)
    let merged = new.replacing(old)
    // Known keys come from the new configuration, and the alternative spelling is removed.
    #expect(merged.json == #"{"x":1,"y":[3],"rotation":90}"#)
  }
}
