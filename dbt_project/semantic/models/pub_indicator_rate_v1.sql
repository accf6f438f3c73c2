select * from release.main.pub_indicator_rate_v1
