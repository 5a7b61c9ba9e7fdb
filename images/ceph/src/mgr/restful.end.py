

def _create_self_signed_cert(self):
    from mgr_util import create_self_signed_cert

    return tuple(part.encode() for part in create_self_signed_cert('IT', 'ceph-restful'))


Module.create_self_signed_cert = _create_self_signed_cert
