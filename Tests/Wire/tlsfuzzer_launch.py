"""Runs one script of tlsfuzzer: `tlsfuzzer_launch.py CHECKOUT HOW SCRIPT ARGUMENT...`

The server has a certificate for ECDSA, and key exchange by ECDHE. Many scripts offer only what needs RSA, although what
they are about is something else. Where HOW is `ecdsa`, names of such suites and signatures stand for the numbers of
those that the server has, a ClientHello without groups or signatures gets them, and ServerKeyExchange is expected
behind the certificate. Where HOW is `native`, a script runs as it is.
"""

import importlib
import sys

ECDSA_SHA256 = (4, 3)
ECDHE_ECDSA_AES, ECDHE_ECDSA_CHACHA20 = 0xC02B, 0xCCA9
P256 = 23


def use_ecdsa():
    from tlsfuzzer import expect, helpers, messages, tree
    from tlslite import constants, extensions

    suites = constants.CipherSuite
    for name in dir(suites):
        if (name.startswith(("TLS_ECDHE_RSA_WITH_", "TLS_RSA_WITH_", "TLS_DHE_RSA_WITH_"))
                and "NULL" not in name and "RC4" not in name):
            setattr(suites, name, ECDHE_ECDSA_CHACHA20 if "CHACHA20_POLY1305_SHA256" in name else ECDHE_ECDSA_AES)
    for name in ("rsa_pss_rsae_sha256", "rsa_pss_pss_sha256", "rsa_pkcs1_sha256"):
        setattr(constants.SignatureScheme, name, ECDSA_SHA256)
    constants.SignatureAlgorithm.rsa = constants.SignatureAlgorithm.ecdsa
    for name in ("RSA_SIG_ALL", "RSA_PKCS1_ALL", "RSA_PSS_RSAE_ALL", "RSA_PSS_PSS_ALL"):
        getattr(helpers, name)[0] = ECDSA_SHA256

    kinds, begin = constants.ExtensionType, messages.ClientHelloGenerator.__init__

    def begin_with_groups(self, *arguments, **named):
        begin(self, *arguments, **named)
        if self.ssl2:
            return
        given = self.extensions or {}
        # In front, because some scripts change the octets at the end; a dictionary keeps its order.
        all_of_them = type(given)()
        all_of_them[kinds.supported_groups] = extensions.SupportedGroupsExtension().create([P256])
        all_of_them[kinds.signature_algorithms] = extensions.SignatureAlgorithmsExtension().create([ECDSA_SHA256])
        for kind, extension in given.items():
            all_of_them.pop(kind, None)
            all_of_them[kind] = extension
        self.extensions = all_of_them

    add_child = tree.TreeNode.add_child

    def add_key_exchange(self, child):
        if isinstance(self, expect.ExpectCertificate) and isinstance(child, expect.ExpectServerHelloDone):
            return add_child(add_child(self, expect.ExpectServerKeyExchange()), child)
        return add_child(self, child)

    messages.ClientHelloGenerator.__init__ = begin_with_groups
    tree.TreeNode.add_child = add_key_exchange


def main():
    checkout, how, script = sys.argv[1:4]
    sys.path.insert(0, checkout)
    if how == "ecdsa":
        use_ecdsa()
    sys.argv[:4] = [script]
    importlib.import_module("tlsfuzzer._apps." + script.replace("-", "_")).main()


if __name__ == "__main__":
    main()
