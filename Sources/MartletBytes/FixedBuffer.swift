// A buffer of octets, stored inline. The capacity is part of the type and never grows.

/// Up to `capacity` octets, stored inline.
public struct FixedBuffer<let capacity: Int>: ~Copyable {
  private let isReadInPlace = ByAddress()

  private var storage = InlineArray<capacity, UInt8>(repeating: 0)
  /// How many octets the buffer holds.
  public private(set) var count = 0

  /// An empty buffer.
  public init() {}

  /// The octets that the buffer holds.
  public var span: Span<UInt8> {
    // Addressable: otherwise the optimizer of Swift 6.3.1 makes a getter that copies the buffer, for each
    // capacity. The span then points into that copy (compare swiftlang/swift#80577).
    @_addressableSelf @_lifetime(borrow self) get { storage.span.extracting(first: count) }
  }

  /// The whole storage, for a caller to write to. Afterwards `setCount` sets how many octets are held.
  public var storageSpan: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get { storage.mutableSpan }
  }

  /// Sets how many octets of the storage the buffer holds.
  @inline(never)
  public mutating func setCount(_ count: Int) {
    invariant(count >= 0 && count <= capacity, "a buffer holds at most its capacity")
    self.count = count
  }

  /// Appends all of `octets`, or nothing when `octets` do not fit.
  ///
  /// - Returns: Whether `octets` fitted.
  @discardableResult
  public mutating func append(_ octets: Span<UInt8>) -> Bool {
    guard octets.count <= capacity - count else { return false }
    let start = count
    var target = storage.mutableSpan
    target.copy(octets, to: start)
    count &+= octets.count
    return true
  }

  /// Appends one octet, or nothing when the buffer is full.
  @discardableResult
  public mutating func append(_ octet: UInt8) -> Bool {
    guard count < capacity else { return false }
    storage[count] = octet
    count &+= 1
    return true
  }

  /// Removes the octets of `range`. The octets behind it move to its start.
  public mutating func removeSubrange(_ range: Range<Int>) {
    invariant(range.lowerBound >= 0 && range.upperBound <= count, "only what is there is removed")
    for i in range.upperBound..<count { storage[i &- range.count] = storage[i] }
    count &-= range.count
  }

  /// Sets the count to 0; the octets stay in memory.
  public mutating func removeAll() { count = 0 }

  /// Overwrites the whole storage with zeros, so that no secret stays in memory; the count is 0.
  public mutating func wipe() {
    for i in 0..<capacity { storage[i] = 0 }
    count = 0
  }
}
