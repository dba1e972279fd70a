// The hash in an asset's path, by the examples of FIPS 180-4 and the library's own SHA-256.

import Testing

@testable import MartletCompile

@Suite struct ContentHashTests {
  @Test(
    "The hash of the standard's examples is the standard's",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ])
  func examples(_ text: String, _ digest: String) {
    #expect(ContentHash.hexadecimal(Array(text.utf8)) == digest)
  }

  @Test("Contents of all sizes around a block have different hashes of 64 digits")
  func sizes() {
    let hashes = (0...200).map { ContentHash.hexadecimal([UInt8](repeating: 0, count: $0)) }
    #expect(Set(hashes).count == 201 && hashes.allSatisfy { $0.count == 64 })
  }
}
