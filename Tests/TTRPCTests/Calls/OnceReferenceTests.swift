import Testing

@testable import TTRPC

@Suite struct OnceReferenceTests {
  private final class Object: Sendable {}

  @Test func `only the first object is set, and it lives as long as the reference`() async {
    weak var set: Object?
    weak var refused: Object?
    do {
      let reference = OnceReference<Object>()
      #expect(reference.object == nil)
      do {
        let objects = (Object(), Object())
        set = objects.0
        refused = objects.1
        #expect(reference.setIfNil(objects.0) === objects.0)
        #expect(reference.setIfNil(objects.1) === objects.0)
      }
      #expect(refused == nil)
      #expect(set != nil && reference.object === set)
    }
    #expect(set == nil)
  }

  /// A reference that several tasks share.
  private final class Shared: Sendable {
    let reference = OnceReference<Object>()
  }

  @Test func `concurrent writers get the same object`() async {
    for _ in 0..<100 {
      let shared = Shared()
      let objects = await withTaskGroup(of: ObjectIdentifier.self) { group in
        for _ in 0..<8 {
          group.addTask { ObjectIdentifier(shared.reference.setIfNil(Object())) }
        }
        return await group.reduce(into: Set<ObjectIdentifier>()) { $0.insert($1) }
      }
      #expect(objects.count == 1)
    }
  }
}
