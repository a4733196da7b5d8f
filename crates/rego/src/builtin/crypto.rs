//! Hashes, as lower-case hexadecimal text.
use super::{Answer, Stop, string, text};
use hmac::{Hmac, KeyInit, Mac};
use regorus::Value;
use sha2::Digest;

pub(super) fn md5(args: &[Value]) -> Answer {
    string(hex::encode(md5::Md5::digest(text(&args[0])?)))
}

pub(super) fn sha1(args: &[Value]) -> Answer {
    string(hex::encode(sha1::Sha1::digest(text(&args[0])?)))
}

pub(super) fn sha256(args: &[Value]) -> Answer {
    string(hex::encode(sha2::Sha256::digest(text(&args[0])?)))
}

/// Signs the first argument with the second.
macro_rules! signed {
    ($name:ident, $hash:ty) => {
        pub(super) fn $name(args: &[Value]) -> Answer {
            let (message, key) = (text(&args[0])?, text(&args[1])?);
            let mac = Hmac::<$hash>::new_from_slice(key.as_bytes()).map_err(|_| Stop::Undefined)?;
            string(hex::encode(mac.chain_update(message).finalize().into_bytes()))
        }
    };
}

signed!(hmac_md5, md5::Md5);
signed!(hmac_sha1, sha1::Sha1);
signed!(hmac_sha256, sha2::Sha256);
signed!(hmac_sha512, sha2::Sha512);

pub(super) fn hmac_equal(args: &[Value]) -> Answer {
    Ok(Value::Bool(text(&args[0])? == text(&args[1])?))
}
