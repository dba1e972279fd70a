// Conformance vectors made by others: the files in Tests/Vectors, each folder with its origin.

import Foundation

/// The path of a file below Tests/Vectors.
public func vectorPath(_ name: String) -> String {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  return folder.appendingPathComponent("Vectors/" + name).path
}

/// The octets of a file below Tests/Vectors.
public func vectorData(_ name: String) throws -> Data {
  try Data(contentsOf: URL(fileURLWithPath: vectorPath(name)))
}

/// A JSON file below Tests/Vectors.
public func vectorJSON(_ name: String) throws -> Any {
  try JSONSerialization.jsonObject(with: vectorData(name))
}

/// The octets that a text of hexadecimal digits spells.
public func octets(hexadecimal text: String) -> [UInt8] {
  var result: [UInt8] = []
  var digits = text.unicodeScalars.makeIterator()
  while let high = digits.next(), let low = digits.next() {
    result.append(UInt8(String(high) + String(low), radix: 16)!)
  }
  return result
}
