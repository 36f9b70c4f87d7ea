//! Copies that EC2 refuses.

use super::*;

#[test]
fn a_refused_copy_may_be_for_its_owner() {
    let remedy = |code: &str, reason, home: &str, dropped: &str| {
        let mut facts = facts();
        facts.home = region(home);
        let given = facts.stack.as_mut().unwrap().1.as_mut().unwrap().parameters.as_mut().unwrap().as_mut().unwrap();
        given.insert("CopyAnyOwner".to_owned(), dropped.to_owned());
        let failure = CopyFailure::Refused { reason, remedy: "Look." };
        facts.source.as_mut().unwrap().tries[0].answer = Err(CopyError { failure, error: error(code, "") });
        let found = checks(&facts, &policies(""));
        found.into_iter().find(|check| check.check == "copy-dry-run").unwrap().remedy.unwrap()
    };
    let denied = ("UnauthorizedOperation", CopyFailed::NotAuthorized);
    assert!(remedy(denied.0, denied.1, "us-east-1", "false").contains("CopyAnyOwner=true"));
    for (code, reason, home, dropped) in [
        (denied.0, denied.1, "us-east-1", "true"),
        (denied.0, denied.1, "eu-west-2", "false"),
        ("InvalidParameterValue", CopyFailed::KeyRefused, "us-east-1", "false"),
    ] {
        assert!(!remedy(code, reason, home, dropped).contains("CopyAnyOwner"), "{code} {home} {dropped}");
    }
}
