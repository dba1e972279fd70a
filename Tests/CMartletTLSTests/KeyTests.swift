import CMartletTLS
import CTLSClient
import TestSupport
import Testing

private func publicKey(_ key: [UInt8]) -> (result: Int32, point: [UInt8]) {
  var point = [UInt8](repeating: 0, count: 65)
  let result = martlet_tls_public_key(key, &point)
  return (result, point)
}

@Suite("Keys for P-256", .serialized)
struct KeyTests {
  @Test("The key of RFC 6979, A.2.5 has its point")
  func known() {
    let key = octets(hexadecimal: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
    let (result, point) = publicKey(key)
    #expect(result == Code.done)
    #expect(
      point == [4]
        + octets(hexadecimal: "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6")
        + octets(hexadecimal: "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"))
  }

  @Test("0, the order and more are no keys; 1 and the order less 1 are")
  func range() {
    let order = octets(hexadecimal: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
    var (before, one, digest) = (order, [UInt8](repeating: 0, count: 32), [UInt8](repeating: 7, count: 32))
    before[31] -= 1
    one[31] = 1
    for key in [order, [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xFF, count: 32)] {
      #expect(publicKey(key).result == Code.badKey)
      var signature = [UInt8](repeating: 0, count: 64)
      #expect(martlet_tls_sign(key, digest, &signature) == Code.badKey)
    }
    let (first, last) = (publicKey(one), publicKey(before))
    #expect(first.result == Code.done && last.result == Code.done)
    // A point and its negative have the same x.
    #expect(first.point[1..<33] == last.point[1..<33] && first.point != last.point)
    digest[0] = 1
  }

  @Test("A new key differs from the one before, and its signatures are its own")
  func signatures() {
    var (key, other) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 32))
    #expect(martlet_tls_make_key(&key) == Code.done)
    #expect(martlet_tls_make_key(&other) == Code.done)
    #expect(key != other)
    let (point, otherPoint) = (publicKey(key).point, publicKey(other).point)
    var (digest, signature) = ([UInt8](repeating: 7, count: 32), [UInt8](repeating: 0, count: 64))
    #expect(martlet_tls_sign(key, digest, &signature) == Code.done)
    #expect(tls_client_verify(point, digest, signature) == 1)
    #expect(tls_client_verify(otherPoint, digest, signature) == 0)
    digest[31] = 8
    #expect(tls_client_verify(point, digest, signature) == 0)
  }
}
