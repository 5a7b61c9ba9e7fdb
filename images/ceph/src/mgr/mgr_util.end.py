

# Only within ceph-mgr is there a module ceph_module.
if 'ceph_module' in sys.modules:
    import mgr_certificates

    mgr_certificates.replace(globals())
