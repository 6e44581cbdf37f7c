import MockupCore
import Testing

@Suite struct JSONObjectTests {
  @Test(arguments: [
    "{}", " { } ", #"{"a":1}"#, "\n{\t\"a\" : [ ] , \"b\" : { } }\r", #"{"a":-0.5e+10,"b":0}"#,
    #"{"a":[1,[2,{"b":"c"}]]}"#, #"{"\u00e9":"\b\f\n\r\t\"\\\/"}"#,
  ])
  func `a valid JSON object is parsed`(text: String) {
    #expect(JSONObject(text: text) != nil)
  }

  @Test(arguments: [
    "", "[]", "1", "{", "}", "{}}", "{} x", "{a:1}", "{'a':1}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#,
    #"{,"a":1}"#, #"{"a":01}"#, #"{"a":.5}"#, #"{"a":5.}"#, #"{"a":+1}"#, #"{"a":-}"#,
    #"{"a":1e}"#, #"{"a":0x10}"#, #"{"a":NaN}"#, #"{"a":Infinity}"#, #"{"a":tru}"#,
    #"{"a":nullx}"#, #"{"a":[1,]}"#, #"{"a":[1}"#, #"{"a":"\x"}"#, #"{"a":"\u12g4"}"#,
    #"{"a":"\u12"}"#, "{\"a\":\"\n\"}", #"{"a":"b}"#, #"{"a":1 "b":2}"#, "\u{feff}{}", "{}/**/",
    #"{"a":1}{"#, #"{"\ud800":1}"#,
  ])
  func `text that is not a valid JSON object is refused`(text: String) {
    #expect(JSONObject(text: text) == nil)
  }

  @Test func `the last of several members with the same name is used`() {
    let object = JSONObject(text: #"{"a":1,"b":2,"\u0061":3}"#)
    #expect(object?.text == #"{"a":3,"b":2}"#)
  }

  @Test func `the nesting depth is limited`() {
    func nested(_ depth: Int) -> String {
      String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
    }
    #expect(JSONObject(text: nested(64)) != nil)
    #expect(JSONObject(text: nested(65)) == nil)
    #expect(JSONObject(text: nested(100_000)) == nil)
  }

  @Test func `member names are escaped`() {
    var object = JSONObject()
    object["\"\\\n\u{1f}é/"] = "1"
    #expect(object.text == #"{"\"\\\u000a\u001fé/":1}"#)
    #expect(JSONObject(text: object.text) == object)
  }
}
