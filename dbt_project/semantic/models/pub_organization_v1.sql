select * from release.main.pub_organization_v1
