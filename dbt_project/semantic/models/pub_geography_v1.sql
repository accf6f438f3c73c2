select * from release.main.pub_geography_v1
