select * from release.main.pub_indicator_v1
