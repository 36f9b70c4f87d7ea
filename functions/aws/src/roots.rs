//! Whom the TLS client believes.

use anyhow::Context as _;
use aws_smithy_http_client::tls::TrustStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use snapferry_core::ids::Region;

use crate::environment;

/// The PEM of Amazon Trust Services' roots.
const AMAZON: &[u8] = include_bytes!("amazon-roots.pem");

/// The certificate authorities that vouch for AWS's endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots {
    /// The five roots of Amazon Trust Services, which are in this binary: reading the machine's hundred and more takes
    /// longer than everything else at a function's start.
    Amazon,
    /// Those that the machine trusts.
    Machine,
}

impl Roots {
    /// Amazon's own for the partitions that are known to use them, the machine's for the others.
    ///
    /// Source: <https://www.amazontrust.com/repository/>; which authority vouches for China's endpoints and those of
    /// the isolated partitions is not documented.
    #[must_use]
    pub fn of(home: &Region) -> Self {
        let others = ["cn-", "us-iso", "eu-iso"];
        if others.iter().any(|prefix| home.as_str().starts_with(prefix)) { Self::Machine } else { Self::Amazon }
    }

    /// These roots, or those of `AWS_CA_BUNDLE` alone, as the AWS CLI reads it.
    pub(crate) fn trust_store(self) -> anyhow::Result<TrustStore> {
        match environment::variable("AWS_CA_BUNDLE") {
            Some(path) => {
                let pem = std::fs::read(&path).with_context(|| format!("AWS_CA_BUNDLE: {path} cannot be read"))?;
                checked(&pem).with_context(|| format!("AWS_CA_BUNDLE: {path}"))?;
                Ok(TrustStore::empty().with_pem_certificate(pem))
            }
            None => Ok(match self {
                Self::Amazon => TrustStore::empty().with_pem_certificate(AMAZON),
                Self::Machine => TrustStore::default(),
            }),
        }
    }
}

/// How many certificates there are. The TLS client takes a trust store on faith and panics over a broken one.
fn checked(pem: &[u8]) -> anyhow::Result<usize> {
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        count += 1;
        let certificate = certificate.ok().with_context(|| format!("certificate {count} is not PEM"))?;
        let anchor = webpki::anchor_from_trusted_cert(&certificate);
        anchor.ok().with_context(|| format!("certificate {count} is not an X.509 certificate that can be trusted"))?;
    }
    anyhow::ensure!(count > 0, "there is no certificate in PEM");
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_are_five() {
        assert_eq!(checked(AMAZON).unwrap(), 5);
    }

    #[test]
    fn a_broken_bundle_is_named_and_never_reaches_the_client() {
        let not_x509 = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let not_base64 = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
        let cases = [
            ("", "there is no certificate in PEM"),
            ("no PEM at all", "there is no certificate in PEM"),
            (not_base64, "certificate 1 is not PEM"),
            (not_x509, "certificate 1 is not an X.509 certificate that can be trusted"),
        ];
        for (pem, message) in cases {
            assert_eq!(checked(pem.as_bytes()).unwrap_err().to_string(), message, "{pem}");
        }
        let second = [AMAZON, not_x509.as_bytes()].concat();
        assert!(checked(&second).unwrap_err().to_string().starts_with("certificate 6"));
    }

    #[test]
    fn amazon_vouches_for_the_partitions_that_are_known() {
        let amazon = ["eu-central-1", "us-gov-west-1", "eusc-de-east-1"];
        let machine = ["cn-north-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1"];
        assert!(amazon.iter().all(|home| Roots::of(&Region::parse(home).unwrap()) == Roots::Amazon));
        assert!(machine.iter().all(|home| Roots::of(&Region::parse(home).unwrap()) == Roots::Machine));
    }
}
