//! A key made of code, with the browser that shows it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenon_testkit::TestServer;

/// What a key says it checked (the flags of its data).
pub(crate) const PRESENT: u8 = 0x01;
pub(crate) const VERIFIED: u8 = 0x04;
pub(crate) const ATTESTED: u8 = 0x40;

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key for one site, as a browser and an authenticator show it together.
pub(crate) struct Key {
    pub(crate) id: Vec<u8>,
    signing: SigningKey,
    pub(crate) user: String,
    pub(crate) counter: u32,
    pub(crate) flags: u8,
    pub(crate) origin: String,
}

impl Key {
    pub(crate) fn new(server: &TestServer) -> Self {
        let env = server.kernel().env();
        let mut id = vec![0; 32];
        env.fill_random(&mut id);
        let mut scalar = [0; 32];
        env.fill_random(&mut scalar);
        Self {
            id,
            signing: SigningKey::from_slice(&scalar).expect("a scalar"),
            user: String::new(),
            counter: 0,
            flags: PRESENT | VERIFIED,
            origin: server.url("").replace("127.0.0.1", "localhost"),
        }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false,
        })
        .to_string()
        .into_bytes()
    }

    fn data(&mut self, flags: u8) -> Vec<u8> {
        self.counter += 1;
        let mut data = Sha256::digest(b"localhost").to_vec();
        data.push(self.flags | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// The answer to `navigator.credentials.create`.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        options["user"]["id"]
            .as_str()
            .expect("a handle")
            .clone_into(&mut self.user);
        let mut data = self.data(ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).expect("a short id").to_be_bytes());
        data.extend(&self.id);
        // The public key in CBOR (RFC 9052): EC2, ES256, P-256, x, y.
        let point = self.signing.verifying_key().to_encoded_point(false);
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(point.x().expect("x"));
        data.extend([0x22, 0x58, 0x20]);
        data.extend(point.y().expect("y"));
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).expect("short data"));
        object.extend(&data);
        json!({
            "id": base64(&self.id), "rawId": base64(&self.id), "type": "public-key",
            "clientExtensionResults": {}, "authenticatorAttachment": "platform",
            "response": {
                "attestationObject": base64(&object), "transports": ["internal"],
                "clientDataJSON": base64(&self.client_data("webauthn.create", options)),
            },
        })
    }

    /// The answer to `navigator.credentials.get`.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        let data = self.data(0);
        let client_data = self.client_data("webauthn.get", options);
        let signed = [data.as_slice(), &Sha256::digest(&client_data)].concat();
        let signature: Signature = self.signing.sign(&signed);
        json!({
            "id": base64(&self.id), "rawId": base64(&self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "authenticatorData": base64(&data), "clientDataJSON": base64(&client_data),
                "signature": base64(signature.to_der().as_bytes()), "userHandle": self.user,
            },
        })
    }
}
