"""An account's EBS encryption settings for a Region [EBS user guide, "Amazon EBS encryption by default"]."""

from tests.cloud.overlay import keys
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.wire import Ec2Error, Params, Response, answer, elements
from tests.cloud.overlay.world import World


def get_encryption(world: World, caller: Place, params: Params) -> Response:
    params.dry_run()
    inner = elements(ebsEncryptionByDefault=caller in world.encrypted_by_default)
    return answer("GetEbsEncryptionByDefault", inner)


def enable_encryption(world: World, caller: Place, params: Params) -> Response:
    """From now on every new copy is encrypted."""
    params.dry_run()
    world.encrypted_by_default.add(caller)
    return answer("EnableEbsEncryptionByDefault", elements(ebsEncryptionByDefault=True))


def disable_encryption(world: World, caller: Place, params: Params) -> Response:
    params.dry_run()
    world.encrypted_by_default.discard(caller)
    return answer("DisableEbsEncryptionByDefault", elements(ebsEncryptionByDefault=False))


def get_key(world: World, caller: Place, params: Params) -> Response:
    """The chosen key's ARN, or the alias of `aws/ebs` [observed: copy_data]."""
    params.dry_run()
    chosen = world.default_keys.get(caller, keys.DEFAULT_ALIAS)
    return answer("GetEbsDefaultKmsKeyId", elements(kmsKeyId=chosen))


def modify_key(world: World, caller: Place, params: Params) -> Response:
    """Choose the key that EBS uses when none is named."""
    reference = params.required("KmsKeyId")
    key = keys.resolve(caller, reference)
    if key is None or key.place.region != caller.region:
        raise Ec2Error("InvalidParameterValue", f"The specified keyId {reference} is invalid")
    params.dry_run()
    world.default_keys[caller] = key.arn
    return answer("ModifyEbsDefaultKmsKeyId", elements(kmsKeyId=key.arn))


def reset_key(world: World, caller: Place, params: Params) -> Response:
    params.dry_run()
    world.default_keys.pop(caller, None)
    return answer("ResetEbsDefaultKmsKeyId", elements(kmsKeyId=keys.DEFAULT_ALIAS))
