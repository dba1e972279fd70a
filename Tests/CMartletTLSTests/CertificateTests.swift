import CMartletTLS
import CTLSClient
import TestSupport
import Testing

@Suite("The server's certificate", .serialized)
struct CertificateTests {
  @Test("New connections get the new certificate, earlier ones go on, and a third has to wait")
  func generations() throws {
    try installOwn()
    let first = try Pair.open()
    let again = try vector("p256-again.der")
    let key = try vector("p256.key")
    #expect(install(again, key: key) == Code.done)
    let second = try Pair.open()
    var count = 0
    let certificate = tls_client_certificate(second.peer, &count)
    #expect(Array(UnsafeBufferPointer(start: certificate, count: count)) == again)
    #expect(install(try vector("p256.der"), key: key) == Code.busy)
    for pair in [first, second] { #expect(pair.send([1]) == 1) }
    first.close()
    #expect(install(try vector("p256.der"), key: key) == Code.done)
    #expect(second.send([1]) == 1)
  }

  @Test("Debian's library has RSA as well")
  func rsa() throws {
    let der = MARTLET_TLS_KEY_DER
    let (chain, key) = (try vector("rsa.der"), try vector("rsa.key"))
    #expect(install(chain, kind: der, key: key) == Code.done)
    let pair = try Pair.open()
    #expect(tls_client_suite(pair.peer) == 0xCCA8)
    pair.close()
    #expect(install(try vector("p256.der"), kind: der, key: key) == Code.mismatch)
    #expect(install(chain, key: try vector("p256.key")) == Code.mismatch)
    #expect(install(chain, kind: der, key: []) == Code.badKey)
    #expect(install(chain, kind: der, key: Array(key.dropLast())) == Code.badKey)
    try installOwn()
  }

  @Test("A chain may have certificates of other kinds behind the server's")
  func chains() throws {
    let chain = try vector("p256.der") + vector("rsa.der")
    #expect(install(chain, key: try vector("p256.key")) == Code.done)
    #expect(throws: Never.self) { try Pair.open() }
    #expect(install(chain + [0x30], key: try vector("p256.key")) == Code.badChain)
    #expect(install(chain + [0x30, 0x80, 0, 0], key: try vector("p256.key")) == Code.badChain)
    let many = Array(repeating: try vector("p256.der"), count: 22).flatMap { $0 }
    #expect(many.count > 8192)
    #expect(install(many, key: try vector("p256.key")) == Code.badChain)
    try installOwn()
  }

  @Test("No prefix of a certificate is taken, and what fails changes nothing")
  func prefixes() throws {
    try installOwn()
    let (chain, key) = (try vector("p256.der"), try vector("p256.key"))
    for count in 0..<chain.count { #expect(install(Array(chain.prefix(count)), key: key) == Code.badChain) }
    #expect(install(chain, key: Array(key.dropLast())) == Code.badKey)
    #expect(install(chain, key: key + [0]) == Code.badKey)
    #expect(install(chain, key: [UInt8](repeating: 0, count: 32)) == Code.badKey)
    #expect(install(chain, key: [UInt8](repeating: 0xFF, count: 32)) == Code.badKey)
    #expect(install(chain, key: [UInt8](repeating: 1, count: 32)) == Code.mismatch)
    #expect(throws: Never.self) { try Pair.open() }
  }

  @Test("With any octet changed the chain is bad, the key is another one, or a signature would show it")
  func flipped() throws {
    let (chain, key) = (try vector("p256.der"), try vector("p256.key"))
    for i in chain.indices {
      for bits in [UInt8(1), 0x80] {
        var changed = chain
        changed[i] ^= bits
        let result = install(changed, key: key)
        #expect([Code.done, Code.badChain, Code.mismatch].contains(result))
      }
    }
    try installOwn()
  }
}
