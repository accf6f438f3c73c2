select * from release.main.pub_disparity_gap_v1
